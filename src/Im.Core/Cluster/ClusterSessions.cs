using System.Threading.Channels;
using Im.Connections;
using Im.Diagnostics;
using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Cluster;

/// <summary>This node's sessions in the directory: registered at their sign-in, removed at their end, registered again where the directory has forgotten.</summary>
/// <remarks>
/// The directory is soft state: whatever fails here is made good by the lease loop, which calls <see cref="RegisterAllAsync"/> and
/// <see cref="RegisterMissingAsync"/>. Removals wait in a bounded queue; when it overflows the node takes a new epoch, which ends all its old entries.
/// </remarks>
internal sealed class ClusterSessions(
    ISessionDirectory directory,
    ClusterState state,
    ClusterSender sender,
    SessionRegistry sessions,
    IEnumerable<ISessionObserver> observers,
    ImMetrics metrics,
    ILogger<ClusterSessions> logger)
{
    private const int Slice = 500;
    private const int MaxQueuedRemovals = 100_000;

    private readonly ISessionObserver[] _observers = [.. observers];
    private readonly Channel<DirectorySession> _removals = Channel.CreateBounded<DirectorySession>(
        new BoundedChannelOptions(MaxQueuedRemovals) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    // Set where a removal was lost: only a new epoch makes the entry void.
    private volatile bool _needsNewEpoch;

    /// <summary>Whether entries of this epoch may stand in the directory without a session; read once.</summary>
    public bool TakeNeedsNewEpoch()
    {
        var needs = _needsNewEpoch;
        _needsNewEpoch = false;
        return needs;
    }

    /// <summary>
    /// Registers a session that signs in. False: a newer session of the device stands there. A directory that is away keeps nobody out; the session is
    /// registered when it is back.
    /// </summary>
    public async ValueTask<bool> RegisterAsync(Session session, CancellationToken cancellationToken)
    {
        if (state.DirectoryFailure is not null || state.View.Epoch == 0)
        {
            return true;
        }

        try
        {
            var entry = ToEntry(session, state.View.Epoch);
            Apply(session, entry, (await directory.RegisterAsync([entry], cancellationToken))[0]);
            return session.DirectoryEntry is not null;
        }
        catch (ImClusterException exception)
        {
            Log.NotRegistered(logger, session.Connection.Id, exception);
            return true;
        }
    }

    /// <summary>The session is over. Returns at once.</summary>
    public void Remove(Session session)
    {
        if (session.TakeDirectoryEntry() is not { } entry)
        {
            return;
        }

        foreach (var observer in _observers)
        {
            observer.Ending(entry);
        }

        if (!_removals.Writer.TryWrite(entry))
        {
            _needsNewEpoch = true;
            Reaped(entry, default);
        }
    }

    /// <summary>Registers every session under the present epoch; those that have been replaced meanwhile are closed.</summary>
    public async Task RegisterAllAsync(CancellationToken cancellationToken)
    {
        foreach (var slice in sessions.All.Chunk(Slice))
        {
            await RegisterAsync(slice, cancellationToken);
        }
    }

    /// <summary>Registers the sessions that signed in while the directory was away.</summary>
    public async Task RegisterMissingAsync(CancellationToken cancellationToken)
    {
        foreach (var slice in sessions.All.Where(session => session.DirectoryEntry is null).Chunk(Slice))
        {
            await RegisterAsync(slice, cancellationToken);
        }
    }

    /// <summary>Compares what the directory says of this node's sessions: those that it has lost are registered again, those that were replaced are closed.</summary>
    public async Task CompareAsync(CancellationToken cancellationToken)
    {
        var epoch = state.View.Epoch;
        foreach (var slice in sessions.All.Where(session => session.DirectoryEntry is not null).Chunk(Slice))
        {
            var found = await directory.FindAsync([.. slice.Select(session => session.UserId)], cancellationToken);
            var lost = new List<Session>();
            for (var i = 0; i < slice.Length; i++)
            {
                var session = slice[i];
                if (!session.IsOver && !found[i].Sessions.Any(entry =>
                    entry.DeviceId == session.Device.DeviceId && entry.NodeName == state.Node.Name && entry.ConnectionId == session.Connection.Id && entry.Epoch == epoch))
                {
                    lost.Add(session);
                }
            }

            if (lost.Count > 0)
            {
                await RegisterAsync([.. lost], cancellationToken);
            }
        }
    }

    /// <summary>Removes what has ended until <see cref="Complete"/>.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var ended = new List<DirectorySession>();
        try
        {
            while (await _removals.Reader.WaitToReadAsync(cancellationToken))
            {
                ended.Clear();
                while (ended.Count < Slice && _removals.Reader.TryRead(out var entry))
                {
                    ended.Add(entry);
                }

                await RemoveAsync(ended, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown that took too long: another node's reaper removes the rest.
        }
    }

    /// <summary>Nothing ends any more.</summary>
    public void Complete() => _removals.Writer.TryComplete();

    /// <summary>Tells the observers of a session that a reaper has removed.</summary>
    public void Reaped(DirectorySession session, Removal removal)
    {
        foreach (var observer in _observers)
        {
            observer.Removed(session, removal);
        }
    }

    private async Task RemoveAsync(List<DirectorySession> ended, CancellationToken cancellationToken)
    {
        try
        {
            var removals = await directory.RemoveAsync(ended, cancellationToken);
            for (var i = 0; i < removals.Count; i++)
            {
                Reaped(ended[i], removals[i]);
            }
        }
        catch (ImClusterException exception)
        {
            metrics.ClusterFailure("remove");
            Log.NotRemoved(logger, ended.Count, exception);
            _needsNewEpoch = true;
            ended.ForEach(entry => Reaped(entry, default));
        }
    }

    private async Task RegisterAsync(Session[] slice, CancellationToken cancellationToken)
    {
        var epoch = state.View.Epoch;
        var entries = Array.ConvertAll(slice, session => ToEntry(session, epoch));
        var results = await directory.RegisterAsync(entries, cancellationToken);
        for (var i = 0; i < slice.Length; i++)
        {
            Apply(slice[i], entries[i], results[i]);
        }
    }

    private void Apply(Session session, DirectorySession entry, Registration registration)
    {
        if (registration.Ticket == 0)
        {
            // Also one that was registered before: it lost its place while this node could not see it.
            session.DirectoryEntry = null;
            session.Connection.Close(ImCloseCode.Replaced, "This device signed in on another connection.");
            return;
        }

        var registered = entry with { Ticket = registration.Ticket };
        if (registration.Other is { } other && other.NodeName != state.Node.Name)
        {
            sender.Replace(other);
        }

        foreach (var observer in _observers)
        {
            observer.Registered(registered, registration);
        }

        // Only now may it be removed: the observers hear of both in this order.
        session.Registered(registered);

        // It ended while it was being registered: then its end has found nothing to remove.
        if (session.IsOver)
        {
            Remove(session);
        }
    }

    private DirectorySession ToEntry(Session session, long epoch) => session.DirectoryEntry is { } known
        ? known with { Epoch = epoch }
        : new DirectorySession
        {
            UserId = session.UserId,
            DeviceId = session.Device.DeviceId,
            NodeName = state.Node.Name,
            Epoch = epoch,
            ConnectionId = session.Connection.Id,
            InstanceId = session.Origin.InstanceId,
            Attempt = session.Origin.Attempt,
            DeviceType = session.Device.Type,
            SignedInMs = session.SignedInMs,
        };
}
