using System.Diagnostics;

namespace Im.ClusterTests.Load;

/// <summary>Every message by its number: when it was sent and acked, where it stands, and how many devices still lack it.</summary>
/// <remarks>Each slot is written by the driver and the devices' readers with atomic operations; the timing of the ack is before its publication.</remarks>
internal sealed class MessageBook(int capacity, Problems problems)
{
    private readonly Conversation?[] _conversations = new Conversation?[capacity];
    private readonly long[] _sentAt = new long[capacity];
    private readonly long[] _ackedAt = new long[capacity];
    private readonly long[] _seqs = new long[capacity];
    private readonly int[] _lacking = new int[capacity];
    private int _sent;
    private int _acked;
    private int _oldest;
    private long _deliveries;

    public int Capacity => capacity;

    public int Sent => Volatile.Read(ref _sent);

    public int Acked => Volatile.Read(ref _acked);

    public long Deliveries => Volatile.Read(ref _deliveries);

    public Conversation ConversationOf(int number) => _conversations[number]!;

    public long SeqOf(int number) => Volatile.Read(ref _seqs[number]);

    public bool IsAcked(int number) => Volatile.Read(ref _ackedAt[number]) != 0;

    /// <summary>A new message; the driver's loop only.</summary>
    public int Add(Conversation conversation)
    {
        var number = _sent;
        _conversations[number] = conversation;
        _lacking[number] = conversation.Devices.Count;
        _sentAt[number] = Stopwatch.GetTimestamp();
        Volatile.Write(ref _sent, number + 1);
        return number;
    }

    /// <summary>Its ack is there; returns how long it took.</summary>
    public TimeSpan Ack(int number, string conversationId, long seq)
    {
        if (conversationId != _conversations[number]!.Id)
        {
            problems.Add($"Message {number} was acked in {conversationId} instead of {_conversations[number]!.Id}.");
        }

        Place(number, seq);
        Volatile.Write(ref _ackedAt[number], Stopwatch.GetTimestamp());
        Interlocked.Increment(ref _acked);
        return Stopwatch.GetElapsedTime(_sentAt[number]);
    }

    /// <summary>A device has it; returns for how long after the ack it had not.</summary>
    public TimeSpan Receive(int number, long seq)
    {
        Place(number, seq);
        Interlocked.Increment(ref _deliveries);
        if (Interlocked.Decrement(ref _lacking[number]) < 0)
        {
            problems.Add($"Message {number} went to more devices than its conversation has.");
        }

        var acked = Volatile.Read(ref _ackedAt[number]);
        return acked == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(acked);
    }

    /// <summary>The oldest message that somebody lacks, or whose ack is missing; null = there is none. The driver's side only.</summary>
    public int? FindOldestOpen()
    {
        while (_oldest < Sent && IsAcked(_oldest) && Volatile.Read(ref _lacking[_oldest]) == 0)
        {
            _oldest++;
        }

        return _oldest < Sent ? _oldest : null;
    }

    public TimeSpan AgeOf(int number) => Stopwatch.GetElapsedTime(_sentAt[number]);

    public int Lacking(int number) => Volatile.Read(ref _lacking[number]);

    // Whoever is first, the ack or a device, says where it stands.
    private void Place(int number, long seq)
    {
        var before = Interlocked.CompareExchange(ref _seqs[number], seq, 0);
        if (before != 0 && before != seq)
        {
            problems.Add($"Message {number} stands at {before} and at {seq} of {_conversations[number]!.Id}.");
        }
    }
}
