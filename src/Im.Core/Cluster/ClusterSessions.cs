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

    /// <summary>Whether entries of this epoch may stand in the directory without a session.</summary>
    public bool NeedsNewEpoch => _needsNewEpoch;

    /// <summary>As <see cref="NeedsNewEpoch"/>; from now on what is lost concerns the next epoch, unless <see cref="NeedNewEpoch"/> says that there is none.</summary>
    public bool TakeNeedsNewEpoch()
    {
        var needs = _needsNewEpoch;
        _needsNewEpoch = false;
        return needs;
    }

    /// <summary>Only a new epoch makes void what stands in the directory without a session.</summary>
    public void NeedNewEpoch() => _needsNewEpoch = true;

    /// <summary>
    /// Registers a session that signs in. False: a newer session of the device stands there. A directory that is away keeps nobody out; the session is
    /// registered when it is back.
    /// </summary>
    public async ValueTask<bool> RegisterAsync(Session session, CancellationToken cancellationToken)
    {
        try
        {
            if (state.DirectoryFailure is not null || state.View.Epoch == 0)
            {
                return true;
            }

            var entry = ToEntry(session, state.View.Epoch);
            return Apply(session, entry, (await directory.RegisterAsync([entry], cancellationToken))[0]) && !session.IsOver;
        }
        catch (ImClusterException exception)
        {
            Log.NotRegistered(logger, session.Connection.Id, exception);
            return true;
        }
        finally
        {
            session.IsRegistering = false;
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

    /// <summary>
    /// Registers the sessions that signed in while the directory was away, or that the registration under this epoch has not reached; says how many.
    /// </summary>
    public async Task<int> RegisterMissingAsync(CancellationToken cancellationToken)
    {
        var (epoch, count) = (state.View.Epoch, 0);
        foreach (var slice in sessions.All.Where(session => session.DirectoryEntry?.Epoch != epoch && session is { IsRegistering: false, IsOver: false }).Chunk(Slice))
        {
            await RegisterAsync(slice, cancellationToken);
            count += slice.Length;
        }

        return count;
    }

    /// <summary>Compares what the directory says of this node's sessions: those that it has lost are registered again, those that were replaced are closed.</summary>
    /// <returns>How many the directory had lost.</returns>
    public async Task<int> CompareAsync(CancellationToken cancellationToken)
    {
        var (epoch, count) = (state.View.Epoch, 0);
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
                count += lost.Count;
            }
        }

        return count;
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

        // Looked at after its entry was read: one that is over has none, and would sign in anew, in the place of the session that follows it.
        var registering = slice.Select(session => (Session: session, Entry: ToEntry(session, epoch))).Where(one => !one.Session.IsOver).ToArray();
        var results = await directory.RegisterAsync(Array.ConvertAll(registering, one => one.Entry), cancellationToken);
        for (var i = 0; i < registering.Length; i++)
        {
            Apply(registering[i].Session, registering[i].Entry, results[i]);
        }
    }

    // False: it has not the device's place.
    private bool Apply(Session session, DirectorySession entry, Registration registration)
    {
        if (registration.Ticket == 0)
        {
            if (registration.Other is { } own && own.NodeName == entry.NodeName && own.ConnectionId == entry.ConnectionId)
            {
                // It stands there already, under an epoch that is newer than this call.
                return true;
            }

            // Also one that was registered before: it lost its place while this node could not see it.
            session.DirectoryEntry = null;
            session.Connection.Close(ImCloseCode.Replaced, "This device signed in on another connection.");
            return false;
        }

        var registered = entry with { Ticket = registration.Ticket };
        if (registration.Other is { } other)
        {
            Replaces(other, session);
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

        return true;
    }

    private void Replaces(DirectorySession other, Session by)
    {
        if (other.NodeName != state.Node.Name)
        {
            sender.Replace(other);
            return;
        }

        // This node has decided already which of its sessions is the device's. Where that is the other one, this call came late, and the other's place
        // is empty soon: it is registered again.
        foreach (var session in sessions.Get(other.UserId))
        {
            if (session != by && session.Connection.Id == other.ConnectionId && !session.IsOver)
            {
                session.DirectoryEntry = null;
            }
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
