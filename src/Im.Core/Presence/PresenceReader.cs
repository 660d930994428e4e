using Im.Cluster;
using Im.Connections;
using Im.Conversations;
using Im.Diagnostics;
using Im.Storage;
using Microsoft.Extensions.Logging;

namespace Im.Presence;

/// <summary>Reads users' presence from the directory, in slices.</summary>
internal sealed class PresenceReader(
    ISessionDirectory directory, ClusterState state, SessionRegistry sessions, IDeviceStore devices, ILogger<PresenceReader> logger)
{
    private const int Slice = 500;
    private const int MaxCached = 10_000;

    /// <summary>How many users at once are looked up one by one in the store of devices; the others' last sign-in stays unknown.</summary>
    private const int MaxStoreReads = 50;

    // When a device last signed in, of users the directory does not know; stale only where it does.
    private readonly BoundedCache<long> _lastSignIns = new(MaxCached);

    /// <summary>The users' states in order, or null: the directory is away.</summary>
    public async ValueTask<IReadOnlyList<PresenceState>?> TryReadAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        try
        {
            var states = new List<PresenceState>(userIds.Count);
            foreach (var slice in userIds.Chunk(Slice))
            {
                var found = await directory.FindAsync(slice, cancellationToken);
                var view = state.View;
                states.AddRange(found.Select(user => PresenceState.Of(user, view)));
            }

            return states;
        }
        catch (ImClusterException)
        {
            // The lease loop says so, and when it is back.
            return null;
        }
    }

    /// <summary>The users' states in order; where the directory is away, as this node sees them. With last sign-ins where the directory knows nothing.</summary>
    public async ValueTask<PresenceState[]> ReadAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        PresenceState[] states = [.. await TryReadAsync(userIds, cancellationToken) ?? [.. userIds.Select(ReadLocal)]];
        var left = MaxStoreReads;
        for (var i = 0; i < states.Length; i++)
        {
            if (!states[i].IsOnline && states[i].LastSeenMs == 0)
            {
                states[i] = states[i] with { LastSeenMs = await FindLastSignInAsync(userIds[i], left-- > 0, cancellationToken) };
            }
        }

        return states;
    }

    private PresenceState ReadLocal(string userId)
    {
        var found = sessions.Get(userId).ToArray();
        return new PresenceState(userId, found.Length > 0, PresenceState.Sort(found.Select(session => session.Device.Type)), 0);
    }

    private async ValueTask<long> FindLastSignInAsync(string userId, bool mayRead, CancellationToken cancellationToken)
    {
        if (_lastSignIns.TryGet(userId, out var known) || !mayRead)
        {
            return known;
        }

        try
        {
            var lastMs = (await devices.ListAsync(userId, cancellationToken)).Select(device => device.LastSignInMs).DefaultIfEmpty().Max();
            _lastSignIns.Set(userId, lastMs);
            return lastMs;
        }
        catch (ImStorageException exception)
        {
            Log.PresenceNotRead(logger, exception);
            return 0;
        }
    }
}
