using System.Runtime.CompilerServices;
using Im.Client;
using Im.Cluster;
using Im.Presence;
using Im.Protocol;
using Im.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Core.Tests.Presence;

/// <summary>What tests of presence on several nodes share.</summary>
public abstract class PresenceTest
{
    protected static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>Moves the clock in small steps until something is so.</summary>
    protected static async Task Eventually(ImTestHost host, Func<bool> condition)
    {
        var until = TimeProvider.System.GetUtcNow() + Limit;
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetUtcNow() < until, "It did not happen in time.");
            await Step(host);
        }
    }

    /// <summary>Lets so much time pass on the servers' clock.</summary>
    protected static async Task Pass(ImTestHost host, TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromMilliseconds(100))
        {
            await Step(host);
        }
    }

    protected static IReadOnlyList<UserPresence> Told(ImTestDevice device) =>
        [.. device.Events.OfType<ImPresenceEvent>().SelectMany(item => item.Users)];

    protected static string[] DirectoryOf(ImTestHost host, string userId)
    {
        var found = host.Services.GetRequiredService<InMemoryCluster>();
        lock (found.Lock)
        {
            return found.Users.TryGetValue(userId, out var user) ? [.. user.Sessions.Select(session => session.DeviceId)] : [];
        }
    }

    // The loops of the servers run on the thread pool: a little real time for each step.
    private static async Task Step(ImTestHost host)
    {
        host.Time.Advance(TimeSpan.FromMilliseconds(100));
        await Task.Delay(3);
    }

    /// <summary>Keeps all events of all nodes.</summary>
    protected sealed class Recorder : IPresenceListener
    {
        private readonly List<PresenceEvent> _events = [];

        public PresenceEvent[] Events
        {
            get
            {
                lock (_events)
                {
                    return [.. _events];
                }
            }
        }

        public PresenceEvent[] Of(string userId) => [.. Events.Where(item => item.UserId == userId)];

        public ValueTask ChangedAsync(IReadOnlyList<PresenceEvent> events, CancellationToken cancellationToken)
        {
            lock (_events)
            {
                _events.AddRange(events);
            }

            return default;
        }
    }

    /// <summary>A directory that one node can be cut off from.</summary>
    protected sealed class CuttableDirectory(ISessionDirectory inner) : ISessionDirectory
    {
        public bool IsCut { get; set; }

        /// <summary>After so many steps of the removal of a dead node it fails, once.</summary>
        public int? BreaksOffAfter { get; set; }

        private ISessionDirectory Inner => IsCut ? throw new ImClusterException("The test has cut it off.") : inner;

        public ValueTask<NodeJoined> JoinAsync(NodeDescription node, TimeSpan lease, CancellationToken cancellationToken) =>
            Inner.JoinAsync(node, lease, cancellationToken);

        public ValueTask<IReadOnlyList<LiveNode>?> RenewAsync(NodeDescription node, long epoch, TimeSpan lease, CancellationToken cancellationToken) =>
            Inner.RenewAsync(node, epoch, lease, cancellationToken);

        public ValueTask LeaveAsync(string nodeName, long epoch, CancellationToken cancellationToken) => Inner.LeaveAsync(nodeName, epoch, cancellationToken);

        public ValueTask<IReadOnlyList<Registration>> RegisterAsync(IReadOnlyList<DirectorySession> sessions, CancellationToken cancellationToken) =>
            Inner.RegisterAsync(sessions, cancellationToken);

        public ValueTask<IReadOnlyList<Removal>> RemoveAsync(IReadOnlyList<DirectorySession> sessions, CancellationToken cancellationToken) =>
            Inner.RemoveAsync(sessions, cancellationToken);

        public ValueTask<IReadOnlyList<UserSessions>> FindAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            Inner.FindAsync(userIds, cancellationToken);

        public ValueTask<OnlinePage> ListAsync(string? cursor, int limit, CancellationToken cancellationToken) => Inner.ListAsync(cursor, limit, cancellationToken);

        public ValueTask<IReadOnlyList<LiveNode>> FindDeadNodesAsync(NodeDescription reaper, TimeSpan lockFor, CancellationToken cancellationToken) =>
            Inner.FindDeadNodesAsync(reaper, lockFor, cancellationToken);

        public async IAsyncEnumerable<IReadOnlyList<(DirectorySession Session, Removal Removal)>> RemoveNodeAsync(
            LiveNode deadNode, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            var steps = 0;
            await foreach (var removed in Inner.RemoveNodeAsync(deadNode, cancellationToken))
            {
                yield return removed;
                if (++steps == BreaksOffAfter)
                {
                    BreaksOffAfter = null;
                    throw new ImClusterException("It breaks off, as the test wants.");
                }
            }
        }
    }
}
