using System.Runtime.InteropServices;
using Im.LoadGenerator.Clients;
using Im.LoadGenerator.Wire;

namespace Im.LoadGenerator.Checks;

/// <summary>Every message of the run: sent, acknowledged, stored, delivered; and everything that was wrong about them.</summary>
internal sealed class Ledger
{
    private const int MaxReports = 20;

    private readonly List<Message> _messages = [];
    private long _reports;

    public List<Conversation> Conversations { get; } = [];

    public List<Device> Devices { get; } = [];

    public int Sent => _messages.Count;

    public long Acked { get; private set; }

    /// <summary>How many deliveries the messages sent so far are to make.</summary>
    public long Expected { get; private set; }

    /// <summary>Every message is acked and has reached all.</summary>
    public bool IsSettled => Acked >= Sent && Delivered >= Expected;

    public long Delivered { get; set; }

    public int LargestPushBytes { get; set; }

    public long Lost { get; set; }

    public long Duplicated { get; set; }

    public long Reordered { get; set; }

    /// <summary>Acks that disagree with the pushes or with an earlier ack, entries on which two devices disagree, refusals, broken connections.</summary>
    public long Errors { get; set; }

    /// <summary>From the send to a receiver's read, for the devices that are sampled.</summary>
    public Histogram Deliveries { get; } = new();

    /// <summary>From the send to the read of the last receiver, for every message.</summary>
    public Histogram LastDeliveries { get; } = new();

    /// <summary>From the send to its ack.</summary>
    public Histogram Acks { get; } = new();

    public ref Message this[int number] => ref CollectionsMarshal.AsSpan(_messages)[number];

    public int Add(Device device, Conversation conversation, long sentAt)
    {
        Expected += conversation.Receivers;
        _messages.Add(new Message { Device = device.Index, Conversation = conversation.Index, SentAt = sentAt });
        return _messages.Count - 1;
    }

    /// <summary>Another set of devices is to get everything that was sent so far.</summary>
    public void ExpectAgain()
    {
        foreach (var conversation in Conversations)
        {
            Expected += conversation.ExpectAgain();
        }
    }

    /// <summary>Says on standard error what was wrong; only the first ones, since one fault shows itself many times.</summary>
    public void Report(string what)
    {
        if (_reports++ < MaxReports)
        {
            Console.Error.WriteLine($"CHECK: {what}{(_reports == MaxReports ? " (further ones are only counted)" : "")}");
        }
    }

    public void Error(string what)
    {
        Errors++;
        Report(what);
    }

    /// <summary>The slow half of a delivery: the first device that sees a seq, or one that sees something else there.</summary>
    /// <returns>False: it is not counted as a delivery.</returns>
    public bool Register(Conversation conversation, ref Record record, in EntryView entry)
    {
        var isOwn = Stamp.IsRun(entry.Run);
        if (record.Digits != 0)
        {
            if (isOwn || record.Digits != Record.Foreign)
            {
                Error($"{conversation.Id}: two devices got different entries at seq {entry.Seq}.");
            }

            return false;
        }

        if (!isOwn)
        {
            record.Digits = Record.Foreign;
            return false;
        }

        var number = Stamp.ToNumber(entry.Number);
        if ((uint)number >= (uint)_messages.Count || this[number].Conversation != conversation.Index)
        {
            Error($"{conversation.Id}: seq {entry.Seq} has message {number}, which was not sent there.");
            record.Digits = Record.Foreign;
            return false;
        }

        ref var message = ref this[number];
        record.Digits = entry.Number;
        record.Number = number;
        record.Length = entry.Bytes.Length;
        record.SentAt = message.SentAt;
        record.Remaining = conversation.Receivers;
        if (message.PushSeq != 0)
        {
            Duplicated++;
            Report($"{conversation.Id}: message {number} is stored twice, at seq {message.PushSeq} and {entry.Seq}.");
            record.Remaining = 0;
            return false;
        }

        message.PushSeq = entry.Seq;
        var device = Devices[message.Device];
        if (entry.Bytes.IndexOf(device.UserIdBytes) < 0 || entry.Bytes.IndexOf(device.MessageIdBytes(number)) < 0)
        {
            Error($"{conversation.Id}: seq {entry.Seq} does not name the sender and the id of message {number}.");
        }

        if (message.AckSeq != 0 && message.AckSeq != entry.Seq)
        {
            Error($"{conversation.Id}: message {number} was acked at seq {message.AckSeq} and pushed at {entry.Seq}.");
        }

        return true;
    }

    /// <summary>A send ack. <paramref name="isFirst"/>: the device waited for it; otherwise it repeats an earlier one and must equal it.</summary>
    public void Ack(int number, long seq, long timeMs, bool isFirst, long now)
    {
        ref var message = ref this[number];
        if (message.AckSeq != 0)
        {
            if (isFirst)
            {
                Duplicated++;
                Report($"Message {number} was acked twice.");
            }
            else if (message.AckSeq != seq || message.AckTimeMs != timeMs)
            {
                Error($"Message {number} was acked at seq {message.AckSeq}, {message.AckTimeMs} ms, and repeated at seq {seq}, {timeMs} ms.");
            }

            return;
        }

        message.AckSeq = seq;
        message.AckTimeMs = timeMs;
        Acked++;
        Acks.Add(now - message.SentAt);
        if (message.PushSeq != 0 && message.PushSeq != seq)
        {
            Error($"Message {number} was pushed at seq {message.PushSeq} and acked at {seq}.");
        }
    }
}
