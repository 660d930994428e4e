using System.Collections.Immutable;
using System.Threading.Channels;
using Im.Administration;
using Im.Diagnostics;
using Im.Model;
using Im.Presence;
using Microsoft.Extensions.Logging;

namespace Im.Messaging;

/// <summary>What the host's handlers are told of one commit.</summary>
internal sealed record StoredMessages(
    IReadOnlyList<InterceptedMessage> Messages, IReadOnlyList<MemberNotice> Notices, IReadOnlyList<LargeGroupMessage> LargeGroupMessages);

/// <summary>A stored message and the members of its conversation, online or not.</summary>
internal sealed record MemberNotice(string ConversationId, long Seq, string SenderId, MessageContent Content, ImmutableArray<string> Members);

/// <summary>Tells interceptors and the offline notifier of what was committed: in batches, in order, at most once, without holding anybody back.</summary>
/// <remarks>The queue is bounded: where the handlers are slower than the commits, the oldest batch is dropped and counted.</remarks>
internal sealed class AfterCommit
{
    private const int MaxQueuedBatches = 256;

    private readonly Channel<StoredMessages> _queue;
    private readonly Interceptors _interceptors;
    private readonly LargeGroupNotices _largeGroups;
    private readonly IOfflineNotifier[] _notifiers;
    private readonly OnlineUsers _online;
    private readonly NoticeLog _log;
    private readonly ILogger _logger;

    public AfterCommit(
        Interceptors interceptors,
        IEnumerable<IOfflineNotifier> notifiers,
        LargeGroupNotices largeGroups,
        OnlineUsers online,
        NoticeLog log,
        ImMetrics metrics,
        ILogger<AfterCommit> logger)
    {
        _interceptors = interceptors;
        _largeGroups = largeGroups;
        _notifiers = [.. notifiers];
        _online = online;
        _log = log;
        _logger = logger;
        _queue = Channel.CreateBounded<StoredMessages>(
            new BoundedChannelOptions(MaxQueuedBatches) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
            dropped =>
            {
                metrics.NoticesDropped(dropped.Messages.Count);
                foreach (var notice in dropped.Notices)
                {
                    log.Dropped(notice);
                }

                foreach (var message in dropped.LargeGroupMessages)
                {
                    log.Dropped(message);
                }

                Log.NoticesDropped(logger, dropped.Messages.Count);
            });
    }

    /// <summary>How many batches wait to be told.</summary>
    public int Queued => _queue.Reader.Count;

    public bool WantsNotices => _notifiers.Length > 0;

    public bool IsWanted => WantsNotices || _interceptors.Any;

    public void Enqueue(StoredMessages stored)
    {
        if (stored.Messages.Count > 0)
        {
            _queue.Writer.TryWrite(stored);
        }
    }

    /// <summary>Takes no more; <see cref="RunAsync"/> ends when everything taken has been told.</summary>
    public void Complete() => _queue.Writer.TryComplete();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var stored in _queue.Reader.ReadAllAsync(cancellationToken))
            {
                await _interceptors.NotifyAsync(stored.Messages, cancellationToken);
                await NotifyOfflineAsync(stored.Notices, cancellationToken);
                await foreach (var page in _largeGroups.ReadAsync(stored.LargeGroupMessages, cancellationToken))
                {
                    await NotifyOfflineAsync(page, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown that took too long; at most once was the promise.
        }
    }

    private async ValueTask NotifyOfflineAsync(IReadOnlyList<MemberNotice> members, CancellationToken cancellationToken)
    {
        var (notices, records) = await FindOfflineAsync(members, cancellationToken);
        if (notices.Count == 0)
        {
            return;
        }

        foreach (var notifier in _notifiers)
        {
            try
            {
                await notifier.NotifyAsync(notices, cancellationToken);
                records.ForEach(record => record.End(notifier.GetType().Name, AdminNoticeOutcome.Told, ""));
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                Log.NotifierFailed(_logger, notifier.GetType().Name, notices.Count, exception);
                records.ForEach(record => record.End(notifier.GetType().Name, AdminNoticeOutcome.Failed, exception.Message));
            }
        }
    }

    // Asked once for all members of a commit, on all nodes.
    private async ValueTask<(List<OfflineNotice> Offline, List<NoticeLog.Record> Records)> FindOfflineAsync(
        IReadOnlyList<MemberNotice> notices, CancellationToken cancellationToken)
    {
        var offline = new List<OfflineNotice>();
        var records = new List<NoticeLog.Record>();
        if (notices.Count == 0)
        {
            return (offline, records);
        }

        var members = new HashSet<string>(StringComparer.Ordinal);
        foreach (var list in notices.Select(notice => notice.Members).Distinct())
        {
            members.UnionWith(list);
        }

        var online = await _online.FindAsync([.. members], cancellationToken);
        foreach (var notice in notices)
        {
            string[] recipients = [.. notice.Members.Where(userId => userId != notice.SenderId && !online.Contains(userId))];
            if (_log.Begin(notice, recipients) is { } record)
            {
                records.Add(record);
            }

            if (recipients.Length > 0)
            {
                offline.Add(new OfflineNotice(notice.ConversationId, notice.Seq, notice.SenderId, notice.Content, recipients));
            }
        }

        return (offline, records);
    }
}
