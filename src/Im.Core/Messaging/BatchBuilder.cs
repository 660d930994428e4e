using System.Threading.Channels;
using Im.Conversations;
using Im.Diagnostics;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.Logging;

namespace Im.Messaging;

/// <summary>Gathers a batch from what is queued: its members are those of the conversations as they are known now.</summary>
/// <remarks>
/// After a change of a conversation nothing more of that conversation goes into the same batch: it would be validated against the version before.
/// Used by the committer's loop only.
/// </remarks>
internal sealed class BatchBuilder(
    ConversationCache conversations, IMessageStore store, TimeProvider time, ImServerOptions options, ILogger logger)
{
    // Items that go into the next batch ahead of the queue, in order.
    private readonly List<PendingAppend> _retries = [];

    // Halved by each batch that the store refuses, doubled by each that it takes: an item that it will never take is soon alone.
    private int _limit = options.MaxBatchMessages;

    /// <summary>The number of the node's last batch; numbers go on over restarts, whatever the clock does.</summary>
    public long LastNumber { get; set; }

    public bool HasRetries => _retries.Count > 0;

    /// <summary>Puts items that were refused as stale in front: what was held back because of them came later.</summary>
    public void Retry(IEnumerable<PendingAppend> items) => _retries.InsertRange(0, items);

    /// <summary>Puts the items of a refused batch in front, to be tried in smaller ones.</summary>
    public void Split(IReadOnlyList<PendingAppend> items)
    {
        _limit = Math.Max(1, items.Count / 2);
        Retry(items);
    }

    /// <summary>A batch was committed.</summary>
    public void Succeeded() => _limit = Math.Min(_limit * 2, options.MaxBatchMessages);

    /// <summary>What its senders were told to send again; used by the committer's loop.</summary>
    public ResendOrder Resends { get; } = new(time);

    public IReadOnlyList<PendingAppend> TakeRetries()
    {
        PendingAppend[] taken = [.. _retries];
        _retries.Clear();
        return taken;
    }

    /// <summary>A batch of at least one item, or null if every item was refused.</summary>
    public async ValueTask<Batch?> BuildAsync(ChannelReader<PendingAppend> queue, CancellationToken cancellationToken)
    {
        var gathering = new Gathering(options, _limit);
        foreach (var item in TakeRetries())
        {
            await AddAsync(gathering, item, cancellationToken);
        }

        while (!gathering.IsFull && queue.TryRead(out var item))
        {
            await AddAsync(gathering, item, cancellationToken);
        }

        return gathering.Items.Count == 0
            ? null
            : new Batch(options.NodeName, ++LastNumber, gathering.Items, gathering.AppendItems, gathering.Timelines);
    }

    private bool RefuseAtOnce(PendingMessage message)
    {
        if (message.IsDoomed)
        {
            Resends.Refused(message);
        }
        else if (!Resends.MustWait(message))
        {
            return false;
        }

        message.TryRefuse(CommitFailure.Unavailable.Code, CommitFailure.Unavailable.Message, logger);
        return true;
    }

    private async ValueTask AddAsync(Gathering gathering, PendingAppend item, CancellationToken cancellationToken)
    {
        // Also those that waited here: what they follow may have been refused meanwhile.
        if (item is PendingMessage { } one && RefuseAtOnce(one))
        {
            return;
        }

        if (gathering.IsFull || gathering.IsClosed(item.ConversationId))
        {
            gathering.Defer(item.ConversationId);
            _retries.Add(item);
            return;
        }

        if (item is PendingChange change)
        {
            if (!gathering.TryAdd(item, ToAppend(item, change.ExpectedVersion, change.Audience, change.Change)))
            {
                _retries.Add(item);
            }
            else if (change.Change is not ConversationChange.MoveReadMark)
            {
                gathering.Close(item.ConversationId);
            }

            return;
        }

        var message = (PendingMessage)item;
        if (await GetAsync(message, cancellationToken) is not { } info)
        {
            return;
        }

        message.Members = info.Members;
        if (!gathering.TryAdd(item, ToAppend(item, info.Version, message.IsImported ? Audience.None : info.Audience, null)))
        {
            _retries.Add(item);
        }
    }

    // The conversation, after another look at whether the sender may write into it: that may have changed since the message came.
    private async ValueTask<ConversationInfo?> GetAsync(PendingMessage item, CancellationToken cancellationToken)
    {
        try
        {
            var info = conversations.Find(item.ConversationId) ?? await conversations.GetAsync(item.ConversationId, cancellationToken);
            if (info is not null && item.IsImported)
            {
                return info;
            }

            (info, var refused) = await FindSenderAsync(item, info, cancellationToken);
            if (refused is not null)
            {
                // What is kept may be older than what the message was checked against when it came.
                (info, refused) = await FindSenderAsync(item, await conversations.ReloadAsync(item.ConversationId, cancellationToken), cancellationToken);
            }

            if (refused is not { } refusal)
            {
                return info;
            }

            var sent = (await store.FindSentAsync([new SentKey(item.SenderId, item.ClientMessageId)], cancellationToken))[0];
            Resends.Answered(item);
            if (sent is null)
            {
                item.Refuse(refusal.Code, refusal.Message);
            }
            else
            {
                item.Answer(SentAnswers.ToResult(sent, item.Hash));
            }
        }
        catch (Exception exception)
        {
            // One conversation that cannot be read must not stop the lane, and an item in hand is answered also when everything is given up.
            Log.ReloadFailed(logger, item.ConversationId, exception);
            Resends.Refused(item);
            item.TryRefuse(CommitFailure.Unavailable.Code, CommitFailure.Unavailable.Message, logger);
        }

        return null;
    }

    private async ValueTask<(ConversationInfo? Info, (ImErrorCode Code, string Message)? Refusal)> FindSenderAsync(
        PendingMessage item, ConversationInfo? info, CancellationToken cancellationToken)
    {
        // Only where the group has changed since the sender's message came.
        if (SendPipeline.MustFindSender(item, info))
        {
            info = await conversations.FindSenderAsync(info, item, isLane: true, cancellationToken);
        }

        return (info, SendPipeline.CheckMembership(item, info));
    }

    private AppendItem ToAppend(PendingAppend item, long version, Audience audience, ConversationChange? change) => new()
    {
        ConversationId = item.ConversationId,
        SenderId = item.SenderId,
        SenderDeviceId = item.SenderDeviceId,
        ClientMessageId = item.ClientMessageId,
        Hash = item.Hash,
        TimeMs = item.TimeMs != 0 ? item.TimeMs : item.TimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
        ExpectedVersion = version,
        Kind = item.Kind,
        Body = item.Body,
        CountsAsUnread = item is PendingMessage { IsImported: false },
        IsImported = item is PendingMessage { IsImported: true },
        Audience = audience,
        Change = change,
    };

    /// <summary>A batch in the making.</summary>
    private sealed class Gathering(ImServerOptions options, int maxItems)
    {
        private readonly HashSet<string> _conversations = new(StringComparer.Ordinal);
        private readonly HashSet<string> _inboxOwners = new(StringComparer.Ordinal);
        private readonly List<TimelineKey> _conversationTimelines = [];
        private readonly List<TimelineKey> _inboxTimelines = [];
        private readonly HashSet<Audience> _audiences = [];
        private HashSet<string>? _closed;
        private long _bytes;
        private int _inboxes;
        private int _deferred;

        public List<PendingAppend> Items { get; } = [];

        public List<AppendItem> AppendItems { get; } = [];

        /// <summary>The conversations, then the inboxes.</summary>
        public List<TimelineKey> Timelines => [.. _conversationTimelines, .. _inboxTimelines];

        public bool IsFull { get; private set; }

        public bool IsClosed(string conversationId) => _closed?.Contains(conversationId) == true;

        /// <summary>An item of the conversation waits for the next batch, and so do all that follow it; many such make the batch full.</summary>
        public void Defer(string conversationId)
        {
            Close(conversationId);
            IsFull |= ++_deferred >= options.MaxBatchMessages;
        }

        public void Close(string conversationId) => (_closed ??= new HashSet<string>(StringComparer.Ordinal)).Add(conversationId);

        /// <summary>False: the batch is full without it.</summary>
        public bool TryAdd(PendingAppend item, AppendItem append)
        {
            // An audience is walked once, however many messages it gets.
            var isNewAudience = !_audiences.Contains(append.Audience);
            var inboxes = _inboxes + (isNewAudience ? append.Audience.UserIds.Length : 0);
            var bytes = _bytes + append.Body.Length;
            if (Items.Count > 0 && (inboxes > options.MaxBatchInboxes || bytes > options.MaxBatchBytes))
            {
                IsFull = true;
                return false;
            }

            Items.Add(item);
            AppendItems.Add(append);
            if (_conversations.Add(item.ConversationId))
            {
                _conversationTimelines.Add(TimelineKey.Conversation(item.ConversationId));
            }

            if (isNewAudience)
            {
                AddInboxes(append.Audience);
            }

            _inboxes = inboxes;
            _bytes = bytes;
            IsFull = Items.Count >= maxItems;
            return true;
        }

        private void AddInboxes(Audience audience)
        {
            _audiences.Add(audience);
            foreach (var userId in audience.UserIds)
            {
                if (_inboxOwners.Add(userId))
                {
                    _inboxTimelines.Add(TimelineKey.Inbox(userId));
                }
            }
        }
    }
}
