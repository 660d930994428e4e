using System.Text;
using Im.LoadGenerator.Wire;

namespace Im.LoadGenerator.Checks;

/// <summary>What stands at one seq of a conversation, as the first client that saw it reported it.</summary>
internal struct Record
{
    /// <summary>An entry that is no message of this run: a group's creation, or older ones.</summary>
    public const ulong Foreign = ulong.MaxValue;

    /// <summary>The digits of the message's number; 0 = nobody has seen this seq yet.</summary>
    public ulong Digits;

    public long SentAt;

    public int Number;

    public int Length;

    /// <summary>How many devices are still to get it.</summary>
    public int Remaining;
}

/// <summary>A conversation of the run, or a room: who gets its messages, and what every device must agree on.</summary>
internal sealed class Conversation
{
    private Record[] _records = new Record[256];

    public Conversation(int index, string id, TransportKind transport, int bodyBytes, bool isRoom = false)
    {
        Index = index;
        Id = id;
        IdBytes = Encoding.UTF8.GetBytes(id);
        Frame = new SendFrame(transport, id, bodyBytes, isRoom);
    }

    public int Index { get; }

    public string Id { get; }

    public byte[] IdBytes { get; }

    public SendFrame Frame { get; }

    /// <summary>Its entries come through its own timeline; set by the first snapshot.</summary>
    public bool IsRead { get; set; }

    /// <summary>How many devices get each message.</summary>
    public int Receivers { get; set; }

    /// <summary>Seqs up to this one are not this run's.</summary>
    public long Base { get; set; }

    /// <summary>The highest seq that anybody has seen.</summary>
    public long Head { get; private set; }

    public ref Record this[long seq]
    {
        get
        {
            var index = seq - Base;
            if (index >= _records.Length)
            {
                Array.Resize(ref _records, (int)Math.Max(index + 1, _records.Length * 2L));
            }

            Head = Math.Max(Head, seq);
            return ref _records[index];
        }
    }

    /// <summary>All devices of another set are to get everything once more; how many deliveries that will be.</summary>
    public long ExpectAgain()
    {
        var deliveries = 0L;
        for (var seq = Base + 1; seq <= Head; seq++)
        {
            ref var record = ref _records[seq - Base];
            if (record.Digits is not (0 or Record.Foreign))
            {
                record.Remaining = Receivers;
                deliveries += Receivers;
            }
        }

        return deliveries;
    }
}
