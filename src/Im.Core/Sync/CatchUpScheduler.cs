using System.Threading.Channels;
using Im.Cluster;
using Im.Connections;
using Im.Diagnostics;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Sync;

/// <summary>Reads pages for sessions that are behind: a few at a time, one page a turn, so that nobody waits for another's long backlog.</summary>
/// <remarks>The queue holds a session at most once, so it is bounded by the number of sessions.</remarks>
internal sealed class CatchUpScheduler(
    IMessageStore store,
    IConversationStore conversations,
    PageReader pages,
    EarlyChunks early,
    ClusterState cluster,
    ImMetrics metrics,
    Checkpoints checkpoints,
    TimeProvider time,
    IOptions<ImServerOptions> options,
    ILogger<CatchUpScheduler> logger) : IServerLoop
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(10);

    private readonly ImServerOptions _options = options.Value;
    private int _isFailing;
    private readonly Channel<Session> _sessions = Channel.CreateUnbounded<Session>();

    public ImMetrics Metrics => metrics;

    /// <summary>How many sessions wait for their turn.</summary>
    public int Queued => _sessions.Reader.Count;

    public EarlyChunks Early => early;

    /// <summary>Gives the session a turn. The session takes care to ask once only.</summary>
    public void Schedule(Session session) => _sessions.Writer.TryWrite(session);

    public string Name => "catch-up workers";

    /// <summary>Works until the token is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, _options.MaxConcurrentCatchUps).Select(_ => WorkAsync(cancellationToken)));

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var session in _sessions.Reader.ReadAllAsync(cancellationToken))
            {
                await TakeTurnAsync(session, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown: what is behind is read when the devices sign in again.
        }
    }

    private async Task TakeTurnAsync(Session session, CancellationToken cancellationToken)
    {
        try
        {
            if (session.NextToRead() is not { } next)
            {
                return;
            }

            var (first, payload, head, last, stored) = next.Timeline.Kind == TimelineKind.Inbox
                ? await ReadInboxAsync(next.Timeline.Id, next.Cursor, cancellationToken)
                : await ReadConversationAsync(session, next, cancellationToken);
            (StoredParts, long)? parts = stored is null ? null : (stored, next.FollowedVersion);
            session.ReadFailures = 0;
            Volatile.Write(ref _isFailing, 0);
            if (first != next.Cursor + 1)
            {
                // Of a conversation the session passes over what is forgotten. In the inbox stood also what it must know: it begins anew.
                if (next.Timeline.Kind == TimelineKind.Conversation)
                {
                    session.SkipForgotten(next.Timeline, first - 1, head, last, parts);
                }
                else
                {
                    session.Connection.Close(ImCloseCode.StorageUnavailable, "What follows your cursor is no longer kept; sign in again.");
                }

                return;
            }

            await checkpoints.ReachAsync(Checkpoint.PageRead, session.Connection.Id);
            session.AddPage(next.Timeline, first, payload, head, last, parts);
        }
        catch (ImStorageException exception) when (exception.Failure != ImStorageFailure.Refused)
        {
            if (Interlocked.Exchange(ref _isFailing, 1) == 0)
            {
                Log.CatchUpRetried(logger, session.Connection.Id, exception);
            }

            metrics.CatchUpRetried();
            _ = TakeTurnLaterAsync(session, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CatchUpFailed(logger, session.Connection.Id, exception);
            session.Connection.Close(ImCloseCode.StorageUnavailable, "Your entries could not be read; sign in again.");
        }
    }

    // The session keeps its turn meanwhile, so that it is waited for once only. Ends with the delay, whatever happens.
    private async Task TakeTurnLaterAsync(Session session, CancellationToken cancellationToken)
    {
        var delay = FirstRetry * Math.Pow(2, Math.Min(session.ReadFailures++, 10));
        try
        {
            await Task.Delay((delay < LongestRetry ? delay : LongestRetry) * (0.5 + Random.Shared.NextDouble()), time, cancellationToken);
            Schedule(session);
        }
        catch (OperationCanceledException)
        {
            // Shutdown.
        }
    }

    private async ValueTask<(long First, PushPayload? Payload, long Head, long? Last, StoredParts? Parts)> ReadInboxAsync(
        string userId, long cursor, CancellationToken cancellationToken)
    {
        var read = await store.ReadInboxesAsync([new InboxRead(userId, new InboxSeq(cursor), _options.MaxPageEntries)], cancellationToken);
        return (read[0].First.Value, await pages.ReadAsync(read[0].Runs, cancellationToken), read[0].Head.Head, null, null);
    }

    // On one node what the session knows of ended with what was delivered; beyond that, and where several nodes tell in another order than it happened, the
    // store says how far the timeline is the user's: what follows a leave or a switch that was not delivered yet is not for this session.
    private async ValueTask<(long First, PushPayload? Payload, long Head, long? Last, StoredParts? Parts)> ReadConversationAsync(
        Session session, TimelineToRead next, CancellationToken cancellationToken)
    {
        var (timeline, cursor) = (next.Timeline, next.Cursor);
        await checkpoints.ReachAsync(Checkpoint.PageChosen, session.Connection.Id);
        var row = (await store.GetHeadsAsync([timeline], cancellationToken))[0];
        var head = row.Head;
        var parts = cluster.HasPeers || next.AreStoredPartsNeeded ? await FindPartsAsync(session.UserId, next, head, cancellationToken) : null;
        var end = parts is null && head > next.KnownHead && next.Last == long.MaxValue
            ? (await FindPartsAsync(session.UserId, next, head, cancellationToken)).Last
            : (long?)null;
        head = Math.Min(head, parts?.Last ?? end ?? next.Last);
        if (row.Floor - 1 > cursor && head > cursor)
        {
            return (Math.Min(row.Floor, head + 1), null, head, end, parts);
        }

        var count = (int)Math.Min(head - cursor, _options.MaxPageEntries);
        Run[] runs = count <= 0 ? [] : [new Run(timeline.Id, new ConversationSeq(cursor + 1), count)];
        return (cursor + 1, await pages.ReadAsync(runs, cancellationToken), head, end, parts);
    }

    // Read after the head, so that up to there nothing is missed.
    private async ValueTask<StoredParts> FindPartsAsync(string userId, TimelineToRead next, long head, CancellationToken cancellationToken)
    {
        var (conversationId, cursor) = (next.Timeline.Id, next.Cursor);
        string[] known = next.BeginsAfterInbox is null ? [conversationId] : [];
        var last = cursor;
        var later = new List<(long After, long Last)>();
        foreach (var part in await conversations.GetReadTimelinesAsync(userId, known, new InboxSeq(next.BeginsAfterInbox ?? long.MaxValue), cancellationToken))
        {
            var end = part.Last?.Value ?? long.MaxValue;
            if (part.ConversationId != conversationId || end < cursor)
            {
                continue;
            }

            if (part.After.Value <= cursor)
            {
                last = end;
            }
            else
            {
                later.Add((part.After.Value, end));
            }
        }

        return new StoredParts(last, later, head);
    }
}
