using System.Collections.Immutable;
using Google.Protobuf;
using Im.Client;
using Im.Protocol;

namespace Im.ModelTests;

/// <summary>One received entry: its place in the timeline it came through, its place in the conversation, and a hash of all of it.</summary>
internal readonly record struct LogItem(long Seq, string ConversationId, long ConversationSeq, int Hash)
{
    public static LogItem Of(long seq, Entry entry)
    {
        var hash = default(HashCode);
        hash.AddBytes(entry.ToByteArray());
        return new LogItem(seq, string.Intern(entry.ConversationId), entry.ConversationSeq, hash.ToHashCode());
    }
}

/// <summary>What the application of one device has stored. It checks the order while it records; the oracle checks the whole at the end.</summary>
/// <remarks>
/// It behaves as an application must: a reset drops everything, and after a restart of the process entries beyond the saved cursors may come
/// again, once, in order and unchanged. Anything else that comes twice is a violation. The lock protects everything.
/// </remarks>
internal sealed class DeviceLog(string name, Action<string> violation, Statistics statistics)
{
    private const int Kept = 50;

    private readonly Lock _gate = new();
    private readonly Queue<string> _last = new();
    private readonly Dictionary<string, List<LogItem>> _timelines = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _positions = new(StringComparer.Ordinal);
    private ImResetEvent? _start;
    private bool _mustReset = true;
    private long _count;

    /// <summary>The inbox in <see cref="Timeline"/>; no conversation has this id.</summary>
    public const string Inbox = "";

    /// <summary>What the device started from last; null = nothing yet.</summary>
    public ImResetEvent? Start
    {
        get
        {
            lock (_gate)
            {
                return _start;
            }
        }
    }

    public long Count => Interlocked.Read(ref _count);

    public IReadOnlyList<LogItem> Timeline(string timeline)
    {
        lock (_gate)
        {
            return _timelines.TryGetValue(timeline, out var items) ? [.. items] : [];
        }
    }

    public string[] Timelines
    {
        get
        {
            lock (_gate)
            {
                return [.. _timelines.Keys];
            }
        }
    }

    /// <summary>A process starts with these cursors.</summary>
    public void Begin(ImCursors cursors, string how)
    {
        lock (_gate)
        {
            Note($"-- {how}, inbox cursor {cursors.InboxSeq}, {string.Join(' ', cursors.Conversations.Select(c => $"{c.Key}@{c.Value.Seq}"))}");
            _mustReset = _start is null || cursors.Generation != _start.Generation;
            _positions.Clear();
            _positions[Inbox] = cursors.InboxSeq;
            foreach (var (id, cursor) in cursors.Conversations)
            {
                _positions[id] = cursor.Seq;
            }
        }
    }

    public void Note(string what)
    {
        lock (_gate)
        {
            if (_last.Count == Kept)
            {
                _last.Dequeue();
            }

            _last.Enqueue(what);
        }
    }

    public void Record(ImEvent received)
    {
        lock (_gate)
        {
            switch (received)
            {
                case ImResetEvent reset:
                    Reset(reset);
                    break;
                case ImEntryEvent entry:
                    Record(entry);
                    break;
            }
        }
    }

    /// <summary>The last events, and the stored ones of a timeline around a seq.</summary>
    public string Describe(string timeline, long around)
    {
        lock (_gate)
        {
            var near = _timelines.GetValueOrDefault(timeline)?.Where(item => Math.Abs(item.Seq - around) <= 8).Select(item => item.ToString()) ?? [];
            return $"stored of \"{timeline}\" around {around}:\n  {string.Join("\n  ", near)}\nlast events:\n  {string.Join("\n  ", _last)}";
        }
    }

    private void Reset(ImResetEvent reset)
    {
        Note($"reset: generation {reset.Generation}, inbox {reset.InboxSeq}, {string.Join(' ', reset.Conversations.Where(c => c.Fanout == Im.Protocol.Fanout.Read).Select(c => $"{c.ConversationId}@{c.Head}"))}");
        statistics.Add("resets");
        _start = reset;
        _mustReset = false;
        _timelines.Clear();
        _positions.Clear();
        _positions[Inbox] = reset.InboxSeq;
        Interlocked.Exchange(ref _count, 0);
    }

    private void Record(ImEntryEvent received)
    {
        var timeline = received.ConversationId is { } id ? string.Intern(id) : Inbox;
        var item = LogItem.Of(received.Seq, received.Entry);
        Note($"{(received.IsInbox ? "inbox" : "timeline")} {item.Seq}: {item.ConversationId} {item.ConversationSeq} {received.Entry.BodyCase}");
        var position = _positions.GetValueOrDefault(timeline);
        if (_mustReset)
        {
            Fail(timeline, item, "came before the reset");
        }
        else if (item.Seq <= position)
        {
            Fail(timeline, item, $"came again or out of order: the last one was {position}");
        }
        else if (received.IsInbox && item.Seq != position + 1)
        {
            Fail(timeline, item, $"came after {position}: a hole");
        }
        else if (!received.IsInbox && (item.ConversationId != timeline || item.ConversationSeq != item.Seq))
        {
            Fail(timeline, item, "is not what its timeline says");
        }

        _positions[timeline] = item.Seq;
        if (!_timelines.TryGetValue(timeline, out var items))
        {
            _timelines.Add(timeline, items = []);
        }

        if (items.Count == 0 || item.Seq > items[^1].Seq)
        {
            items.Add(item);
            Interlocked.Increment(ref _count);
            return;
        }

        statistics.Add("entries again after a restart of the process");
        var index = items.BinarySearch(item, Comparer<LogItem>.Create((x, y) => x.Seq.CompareTo(y.Seq)));
        if (index < 0 || items[index] != item)
        {
            Fail(timeline, item, index < 0 ? "comes only now, behind later ones" : $"came before as {items[index]}");
        }
    }

    private void Fail(string timeline, LogItem item, string what) =>
        violation($"{name}: {item} of \"{timeline}\" {what}.\n{Describe(timeline, item.Seq)}");
}
