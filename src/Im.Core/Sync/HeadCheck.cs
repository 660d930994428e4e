using System.Buffers;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Im.Cluster;
using Im.Connections;
using Im.Conversations;
using Im.Diagnostics;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Sync;

/// <summary>Compares what live sessions know of their timelines with the store's heads, in batches: it finds what a lost delivery missed.</summary>
/// <remarks>
/// <para>Every <c>HeadCheckInterval</c> all live sessions; at once, and until the store answers, the timelines of a commit whose outcome is unknown or
/// whose delivery failed. A session that has missed something goes behind and reads it.</para>
/// <para>Changes of membership always stand in the inboxes of those concerned. So where an inbox had missed something, also where the session has read it
/// by itself meanwhile, the conversations that the session follows are compared too; one that follows others than it should is closed, and starts right when it signs in again.</para>
/// </remarks>
internal sealed class HeadCheck(
    IMessageStore store,
    IConversationStore conversations,
    ConversationCache cache,
    SessionRegistry sessions,
    ConversationReaders readers,
    ClusterState cluster,
    ImMetrics metrics,
    TimeProvider time,
    IOptions<ImServerOptions> options,
    IOptions<ImClusterOptions> clusterOptions,
    ILogger<HeadCheck> logger) : IServerLoop
{
    private const int SliceTimelines = 500;
    private const int MaxComparisons = 8;

    // Where the next check follows at once, which goes on with those that are not decided.
    private const int MinComparisons = 2;

    // What was just committed is delivered within this.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    // Where something is known to be missing nobody waits for it for long.
    private static readonly TimeSpan ShortGrace = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);

    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    // Guards _doubt.
    private readonly Lock _lock = new();
    private HeadDoubt? _doubt;

    /// <summary>
    /// Something may have been appended to these timelines without being delivered, and these users' memberships may have changed. Returns at once.
    /// </summary>
    public void CheckSoon(IEnumerable<TimelineKey> timelines, IEnumerable<string> changedConversations, IEnumerable<string> userIds)
    {
        lock (_lock)
        {
            (_doubt ??= new HeadDoubt()).Add(timelines, changedConversations, userIds);
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>Called, and must return at once, where anything may have been missed: what else other nodes tell may have been too.</summary>
    public Action? EverythingInDoubt { get; set; }

    /// <summary>Something may have been missed by any session of this node. Returns at once.</summary>
    public void CheckEverythingSoon()
    {
        EverythingInDoubt?.Invoke();
        lock (_lock)
        {
            (_doubt ??= new HeadDoubt()).AddEverything();
        }

        _wake.Writer.TryWrite(true);
    }

    /// <summary>Called with each regular check: the directory is compared too.</summary>
    public Func<CancellationToken, Task>? AlsoCompare { get; set; }

    public string Name => "head check";

    /// <summary>Checks until the token is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(CheckAllAsync(cancellationToken), CheckDoubtsAsync(cancellationToken));

    private async Task CheckAllAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                // Not all nodes at once.
                await WaitAsync(cancellationToken);
                if (IsAlone)
                {
                    // People wait for it.
                    await TryAsync(() => CheckAsync(ShortGrace, MinComparisons, cancellationToken), cancellationToken);
                    continue;
                }

                await TryAsync(() => CheckAsync(Grace, MaxComparisons, cancellationToken), cancellationToken);
                await TryAsync(() => AlsoCompare?.Invoke(cancellationToken) ?? Task.CompletedTask, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }

    // While the backplane is away, checks are what brings the other nodes' entries.
    private bool IsAlone => !cluster.IsBackplaneHealthy && cluster.MayHavePeers;

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        var interval = options.Value.HeadCheckInterval * (0.9 + (0.2 * Random.Shared.NextDouble()));
        var step = clusterOptions.Value.LostBackplaneCheckInterval;
        for (var waited = TimeSpan.Zero; waited < interval; waited += step)
        {
            await Task.Delay(step < interval - waited ? step : interval - waited, time, cancellationToken);
            if (IsAlone)
            {
                return;
            }
        }
    }

    private async Task CheckDoubtsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var _ in _wake.Reader.ReadAllAsync(cancellationToken))
            {
                var delay = FirstRetry;
                while (Take() is { } doubt)
                {
                    if (!await TryAsync(() => CheckAsync(doubt, cancellationToken), cancellationToken))
                    {
                        PutBack(doubt);
                        await Task.Delay(delay, time, cancellationToken);
                        delay = delay * 2 < LongestRetry ? delay * 2 : LongestRetry;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown: what is missing is read when the devices sign in again.
        }
    }

    private HeadDoubt? Take()
    {
        lock (_lock)
        {
            var doubt = _doubt;
            _doubt = null;
            return doubt;
        }
    }

    private void PutBack(HeadDoubt doubt)
    {
        lock (_lock)
        {
            _doubt = doubt.With(_doubt);
        }
    }

    private async Task<bool> TryAsync(Func<Task> check, CancellationToken cancellationToken)
    {
        try
        {
            await check();
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.HeadCheckFailed(logger, exception);
            return false;
        }
    }

    private async Task CheckAsync(TimeSpan grace, int comparisons, CancellationToken cancellationToken)
    {
        var known = new Dictionary<TimelineKey, long>();
        var behind = new List<(Session Session, TimelineKey Timeline)>();
        var live = new List<(Session Session, TimelineKey Timeline, long KnownHead)>();
        var missed = new List<Session>();
        foreach (var session in sessions.All)
        {
            session.AddLiveTimelines(live);
            if (session.MissingInOffers > 0)
            {
                missed.Add(session);
            }
        }

        foreach (var (_, timeline, head) in live)
        {
            ref var lowest = ref CollectionsMarshal.GetValueRefOrAddDefault(known, timeline, out var exists);
            lowest = exists ? Math.Min(lowest, head) : head;
        }

        var ahead = await FindAheadAsync(known, cancellationToken);
        if (ahead.Count == 0 && missed.Count == 0)
        {
            return;
        }

        await Task.Delay(grace, time, cancellationToken);
        foreach (var (session, timeline, _) in live)
        {
            if (ahead.TryGetValue(timeline, out var head) && session.NoticeHead(timeline, head))
            {
                behind.Add((session, timeline));
            }
        }

        Report(behind.Count);
        var suspects = behind.Where(one => one.Timeline.Kind == TimelineKind.Inbox).Select(one => one.Session);
        await CompareAsync(suspects.Concat(missed.Where(session => session.MissingInOffers > 0)), comparisons, cancellationToken);
    }

    private async Task CheckAsync(HeadDoubt doubt, CancellationToken cancellationToken)
    {
        foreach (var conversationId in doubt.ChangedConversations)
        {
            await cache.ReloadAsync(conversationId, cancellationToken);
        }

        if (doubt.IsEverything)
        {
            cache.InvalidateAll();
            await CheckAsync(ShortGrace, MaxComparisons, cancellationToken);
        }

        var missed = 0;
        foreach (var (timeline, head) in await FindAheadAsync(doubt.Timelines.ToDictionary(timeline => timeline, _ => 0L), cancellationToken))
        {
            missed += timeline.Kind == TimelineKind.Inbox ? NoticeInbox(timeline, head) : NoticeConversation(timeline, head);
        }

        Report(missed);
        await CompareAsync(doubt.UserIds.SelectMany(userId => sessions.Get(userId).ToArray()), MaxComparisons, cancellationToken);
    }

    private async Task<Dictionary<TimelineKey, long>> FindAheadAsync(Dictionary<TimelineKey, long> known, CancellationToken cancellationToken)
    {
        var ahead = new Dictionary<TimelineKey, long>();
        foreach (var slice in known.Chunk(SliceTimelines))
        {
            foreach (var head in await store.GetHeadsAsync([.. slice.Select(pair => pair.Key)], cancellationToken))
            {
                if (head.Head > known[head.Timeline])
                {
                    ahead.Add(head.Timeline, head.Head);
                }
            }
        }

        return ahead;
    }

    private int NoticeInbox(TimelineKey timeline, long head)
    {
        var missed = 0;
        foreach (var session in sessions.Get(timeline.Id))
        {
            missed += session.NoticeHead(timeline, head) ? 1 : 0;
        }

        return missed;
    }

    private int NoticeConversation(TimelineKey timeline, long head)
    {
        if (readers.Rent(timeline.Id, out var count) is not { } rented)
        {
            return 0;
        }

        var missed = 0;
        foreach (var session in rented.AsSpan(0, count))
        {
            missed += session.NoticeHead(timeline, head) ? 1 : 0;
        }

        ArrayPool<Session>.Shared.Return(rented, clearArray: true);
        return missed;
    }

    private void Report(int missed)
    {
        if (missed > 0)
        {
            metrics.Missed(missed);
            Log.EntriesMissed(logger, missed);
        }
    }

    // A change may be committed and about to be delivered: only a difference that stays is one.
    private async Task CompareAsync(IEnumerable<Session> suspects, int comparisons, CancellationToken cancellationToken)
    {
        var left = suspects.Distinct().Select(session => (Session: session, Differed: -1L)).ToList();
        for (var i = 0; i < comparisons && left.Count > 0; i++)
        {
            if (i > 0)
            {
                await Task.Delay(Grace, time, cancellationToken);
            }

            var again = new List<(Session Session, long Differed)>();
            foreach (var (session, differed) in left)
            {
                var (version, mark) = (session.FollowedVersion, session.MarkOffers());
                var parts = await conversations.GetReadTimelinesAsync(session.UserId, [], new InboxSeq(long.MaxValue), cancellationToken);
                var comparison = session.CompareFollowed(version, parts);
                if (comparison == FollowedComparison.Different && differed == version)
                {
                    SignInAgain(session);
                }
                else if (comparison == FollowedComparison.Same)
                {
                    session.GiveUpOffers(mark);
                }
                else if (comparison is FollowedComparison.Different or FollowedComparison.Changed)
                {
                    again.Add((session, comparison == FollowedComparison.Different ? version : -1));
                }
            }

            left = again;
        }
    }

    private void SignInAgain(Session session)
    {
        Log.TimelinesDiffer(logger, session.Connection.Id);
        session.Connection.Close(
            ImCloseCode.StorageUnavailable,
            "Your conversations changed while the store was in trouble; sign in again.",
            options.Value.ReconnectSpread * Random.Shared.NextDouble());
    }
}
