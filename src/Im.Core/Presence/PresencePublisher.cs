using Im.Cluster;
using Im.Cluster.Wire;
using Im.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Presence;

/// <summary>
/// What the directory says of this node's sessions, and those of dead ones, becomes events for the host, and states for whoever watches on any node.
/// </summary>
/// <remarks>Only whose state changed is kept; what it is now is read from the directory once for an interval, so that the last to tell tells what is so.</remarks>
internal sealed class PresencePublisher(
    PresenceEvents events,
    PresenceReader reader,
    PresenceWatches watches,
    ClusterSender sender,
    ClusterState cluster,
    TimeProvider time,
    PresenceMetrics metrics,
    IOptions<ImPresenceOptions> options,
    ILogger<PresencePublisher> logger) : ISessionObserver
{
    private const int MaxTouched = 100_000;
    private const int Slice = 500;

    // Guards _touched.
    private readonly Lock _lock = new();
    private HashSet<string> _touched = new(StringComparer.Ordinal);

    // Guards _ending, and the order of events.
    private readonly Lock _order = new();

    // Users with sessions that are being removed: how many, and what is told after that, since the directory may have answered in that order.
    private readonly Dictionary<string, Ending> _ending = new(StringComparer.Ordinal);

    public void Registered(DirectorySession session, Registration registration)
    {
        // Registered again, or in an older session's place: the device was connected all the time.
        if (!registration.IsSame && registration.Other is null)
        {
            lock (_order)
            {
                if (_ending.TryGetValue(session.UserId, out var ending))
                {
                    ending.Then.Add((session, registration.OtherSessions == 0));
                }
                else
                {
                    RaiseConnected(session, registration.OtherSessions == 0);
                }
            }
        }

        Touch(session.UserId);
    }

    void ISessionObserver.Ending(DirectorySession session)
    {
        lock (_order)
        {
            if (!_ending.TryGetValue(session.UserId, out var ending))
            {
                _ending.Add(session.UserId, ending = new Ending());
            }

            ending.Count++;
        }
    }

    public void Removed(DirectorySession session, Removal removal)
    {
        lock (_order)
        {
            if (removal.IsRemoved)
            {
                Raise(PresenceEventKind.DeviceDisconnected, session);
                if (removal.SessionsLeft == 0)
                {
                    Raise(PresenceEventKind.UserOffline, session);
                }
            }

            if (session.NodeName == cluster.Node.Name && _ending.TryGetValue(session.UserId, out var ending) && --ending.Count == 0)
            {
                _ending.Remove(session.UserId);
                ending.Then.ForEach(one => RaiseConnected(one.Session, one.IsFirst));
            }
        }

        if (removal.IsRemoved)
        {
            Touch(session.UserId);
        }
    }

    /// <summary>Publishes at its interval until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.Value.PublishInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                await TryPublishAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }

    /// <summary>Tells what has changed since the last time.</summary>
    public async Task TryPublishAsync(CancellationToken cancellationToken)
    {
        HashSet<string> touched;
        lock (_lock)
        {
            if (_touched.Count == 0)
            {
                return;
            }

            touched = _touched;
            _touched = new HashSet<string>(StringComparer.Ordinal);
        }

        try
        {
            string[] userIds = [.. touched.Where(userId => cluster.HasPeers || watches.IsWatched(userId))];
            if (!await PublishAsync(userIds, cancellationToken))
            {
                Array.ForEach(userIds, Touch);
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Whoever watches reads the states again after a while.
            Log.PresenceFailed(logger, exception);
        }
    }

    private async ValueTask<bool> PublishAsync(string[] userIds, CancellationToken cancellationToken)
    {
        if (await reader.TryReadAsync(userIds, cancellationToken) is not { } states)
        {
            return false;
        }

        watches.Apply(states);
        if (cluster.HasPeers)
        {
            foreach (var slice in states.Chunk(Slice))
            {
                sender.Tell(new NodeMessage { Presence = { slice.Select(state => state.ToUpdate()) } });
            }

            metrics.Published(states.Count);
        }

        return true;
    }

    private void Touch(string userId)
    {
        lock (_lock)
        {
            if (_touched.Count < MaxTouched)
            {
                _touched.Add(userId);
            }
        }
    }

    private void RaiseConnected(DirectorySession session, bool isFirst)
    {
        Raise(PresenceEventKind.DeviceConnected, session);
        if (isFirst)
        {
            Raise(PresenceEventKind.UserOnline, session);
        }
    }

    private void Raise(PresenceEventKind kind, DirectorySession session) => events.Raise(
        new PresenceEvent(kind, session.UserId, session.DeviceId, session.DeviceType, session.NodeName, time.GetUtcNow().ToUnixTimeMilliseconds()));

    private sealed class Ending
    {
        public int Count { get; set; }

        public List<(DirectorySession Session, bool IsFirst)> Then { get; } = [];
    }
}
