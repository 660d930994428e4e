using System.Collections.Immutable;
using Im.Messaging;
using Microsoft.Extensions.Options;

namespace Im.Administration;

/// <summary>What this node's offline notifiers made of the last messages, for the question why somebody was not told.</summary>
/// <remarks>
/// Written by the after-commit loop, and by whoever made that drop a batch; read by the admin operations. The lock guards the queue and is held for a few
/// steps. Bounded in messages and in recipients; the oldest go first. A record shares the lists of the notice: it copies nothing.
/// </remarks>
internal sealed class NoticeLog(TimeProvider time, IOptions<ImAdminOptions> options)
{
    private readonly int _maxNotices = options.Value.KeptNotices;
    private readonly int _maxRecipients = options.Value.KeptNoticeRecipients;
    private readonly Lock _lock = new();
    private readonly Queue<Record> _records = new();
    private long _recipients;

    /// <summary>A message and its members; what the notifiers made of it is told to the record that is returned, null = it is not kept.</summary>
    public Record? Begin(MemberNotice notice, IReadOnlyList<string> offline)
    {
        var record = new Record(time.GetUtcNow().ToUnixTimeMilliseconds(), notice.ConversationId, notice.Seq, notice.Members, offline);
        return Add(record) ? record : null;
    }

    /// <summary>The message was dropped before anybody was told.</summary>
    public void Dropped(MemberNotice notice) => Begin(notice, notice.Members)?.End("", AdminNoticeOutcome.Dropped, "");

    /// <summary>The same of a message to a large group, whose members are not in memory: it is kept for all of them.</summary>
    public void Dropped(LargeGroupMessage message)
    {
        var record = new Record(time.GetUtcNow().ToUnixTimeMilliseconds(), message.ConversationId, message.Seq.Value, [], []) { IsForEverybody = true };
        record.End("", AdminNoticeOutcome.Dropped, "");
        Add(record);
    }

    /// <summary>What is known of a message and one of its recipients, oldest first.</summary>
    public AdminNotice[] Find(string node, string conversationId, long seq, string userId)
    {
        Record[] found;
        lock (_lock)
        {
            found = [.. _records.Where(record => record.Seq == seq && record.ConversationId == conversationId && record.IsFor(userId))];
        }

        return [.. found.SelectMany(record => record.Describe(node, userId))];
    }

    private bool Add(Record record)
    {
        if (_maxNotices == 0 || record.Members.Length > _maxRecipients)
        {
            return false;
        }

        lock (_lock)
        {
            _records.Enqueue(record);
            _recipients += record.Members.Length;
            while (_records.Count > _maxNotices || _recipients > _maxRecipients)
            {
                _recipients -= _records.Dequeue().Members.Length;
            }
        }

        return true;
    }

    /// <summary>One message. The outcomes are replaced, never changed: written by one, read by any.</summary>
    internal sealed class Record(long timeMs, string conversationId, long seq, ImmutableArray<string> members, IReadOnlyList<string> offline)
    {
        private ImmutableArray<(string Notifier, AdminNoticeOutcome Outcome, string Error)> _outcomes = [];

        public string ConversationId => conversationId;

        public long Seq => seq;

        public ImmutableArray<string> Members => members;

        public bool IsForEverybody { get; init; }

        public bool IsFor(string userId) => IsForEverybody || members.Contains(userId, StringComparer.Ordinal);

        public void End(string notifier, AdminNoticeOutcome outcome, string error) =>
            ImmutableInterlocked.Update(ref _outcomes, static (list, one) => list.Add(one), (notifier, outcome, error));

        public IEnumerable<AdminNotice> Describe(string node, string userId)
        {
            if (!IsForEverybody && !offline.Contains(userId, StringComparer.Ordinal))
            {
                return [new AdminNotice(node, timeMs, "", AdminNoticeOutcome.NotWanted, "")];
            }

            var outcomes = _outcomes;
            return outcomes.IsEmpty
                ? [new AdminNotice(node, timeMs, "", AdminNoticeOutcome.Telling, "")]
                : outcomes.Select(one => new AdminNotice(node, timeMs, one.Notifier, one.Outcome, one.Error));
        }
    }
}
