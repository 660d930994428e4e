using Im.Cluster;
using Im.Cluster.Wire;
using Im.Conversations;
using Im.Diagnostics;
using Im.Storage;
using Im.Sync;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Presence;

/// <summary>Tells connections what has changed of those they watch, and reads again what may have been missed. One loop.</summary>
internal sealed class PresenceNotifier : IClusterListener
{
    private readonly PresenceWatches _watches;
    private readonly PresenceReader _reader;
    private readonly ConversationCache _conversations;
    private readonly ClusterState _cluster;
    private readonly TimeProvider _time;
    private readonly PresenceMetrics _metrics;
    private readonly ImPresenceOptions _options;
    private readonly TimeSpan _lostBackplaneInterval;
    private readonly ILogger _logger;
    private volatile bool _isInDoubt;
    private long _checkedAt;
    private long _refreshedAt;

    public PresenceNotifier(
        PresenceWatches watches,
        PresenceReader reader,
        ConversationCache conversations,
        ClusterState cluster,
        HeadCheck headCheck,
        TimeProvider time,
        PresenceMetrics metrics,
        IOptions<ImPresenceOptions> options,
        IOptions<ImClusterOptions> clusterOptions,
        ILogger<PresenceNotifier> logger)
    {
        _watches = watches;
        _reader = reader;
        _conversations = conversations;
        _cluster = cluster;
        _time = time;
        _metrics = metrics;
        _options = options.Value;
        _lostBackplaneInterval = clusterOptions.Value.LostBackplaneCheckInterval;
        _logger = logger;
        _checkedAt = _refreshedAt = time.GetTimestamp();

        // Where entries may have been missed, changes of presence may have been too.
        headCheck.EverythingInDoubt = () => _isInDoubt = true;
    }

    public void Received(NodeMessage message)
    {
        if (message.Presence.Count > 0)
        {
            _watches.Apply([.. message.Presence.Select(PresenceState.Of)]);
        }
    }

    /// <summary>Tells at its interval until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_options.NotifyInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                try
                {
                    await CheckAsync(cancellationToken);
                    await ReadDueAsync(cancellationToken);
                    await NotifyAsync(cancellationToken);
                }
                catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
                {
                    Log.PresenceFailed(_logger, exception);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }

    // Everything that is watched, at the interval, or where something may have been missed.
    private async ValueTask CheckAsync(CancellationToken cancellationToken)
    {
        var now = _time.GetTimestamp();
        var isDue = _isInDoubt || _time.GetElapsedTime(_refreshedAt, now) >= _options.CheckInterval;
        var isAlone = _cluster is { IsBackplaneHealthy: false, MayHavePeers: true };
        if (!isDue && !(isAlone && _time.GetElapsedTime(_checkedAt, now) >= _lostBackplaneInterval))
        {
            return;
        }

        _checkedAt = now;
        var userIds = _watches.WatchedUsers();
        if (userIds.Length > 0 && await _reader.TryReadAsync(userIds, cancellationToken) is { } states)
        {
            _watches.Apply(states);
        }

        if (!isDue)
        {
            return;
        }

        _isInDoubt = false;
        _refreshedAt = now;
        foreach (var conversationId in _watches.WatchedConversations())
        {
            await TryRefreshAsync(conversationId, isDoubted: true, cancellationToken);
        }
    }

    private async ValueTask ReadDueAsync(CancellationToken cancellationToken)
    {
        var (final, others) = _watches.TakeDue();
        await ReadAsync([.. final.Keys], final, cancellationToken);
        await ReadAsync(others, null, cancellationToken);
    }

    private async ValueTask ReadAsync(string[] userIds, Dictionary<string, long>? final, CancellationToken cancellationToken)
    {
        if (userIds.Length == 0)
        {
            return;
        }

        if (await _reader.TryReadAsync(userIds, cancellationToken) is { } states)
        {
            _watches.Apply(states, final);
        }
        else
        {
            _watches.Postpone(userIds, final);
        }
    }

    private async ValueTask NotifyAsync(CancellationToken cancellationToken)
    {
        var (watchers, conversations) = _watches.TakeWaiting();
        if (watchers.Length == 0)
        {
            return;
        }

        // Members are shown to members only, as they are now.
        foreach (var conversationId in conversations)
        {
            if (!await TryRefreshAsync(conversationId, isDoubted: false, cancellationToken))
            {
                // Nobody knows who is a member: nobody is shown anything, and it is tried again.
                Array.ForEach(watchers, watcher => _watches.Restore(watcher, []));
                return;
            }
        }

        var packets = new PresencePackets();
        var told = 0;
        foreach (var watcher in watchers)
        {
            var states = _watches.TakePending(watcher);
            if (states.Length == 0)
            {
                continue;
            }

            if (watcher.Session.TrySignal(packets.Get(states).Get(watcher.Session.Connection.Outbox.Codec)))
            {
                told++;
            }
            else
            {
                _watches.Restore(watcher, states.Select(state => state.UserId));
            }
        }

        _metrics.Notified(told, packets.Count);
    }

    private async ValueTask<bool> TryRefreshAsync(string conversationId, bool isDoubted, CancellationToken cancellationToken)
    {
        try
        {
            var info = _conversations.Find(conversationId);
            if (info is null || isDoubted)
            {
                info = await _conversations.ReloadAsync(conversationId, cancellationToken);
            }

            if (info is { Group.IsDissolved: true })
            {
                info = null;
            }

            // A conversation that was dropped while the members were looked up and subscribed to again is looked at again.
            while (_watches.Concerned(conversationId, info?.Version) is { } concerned)
            {
                var members = new HashSet<string>(StringComparer.Ordinal);
                if (info is not null)
                {
                    (info, var isMember) = await _conversations.FindMembersAsync(info, concerned, isLane: false, cancellationToken);
                    members.UnionWith(concerned.Where((_, index) => isMember[index]));
                }

                _watches.Refresh(conversationId, info, members);
            }

            return true;
        }
        catch (ImStorageException exception)
        {
            Log.PresenceNotRead(_logger, exception);
            return false;
        }
    }
}
