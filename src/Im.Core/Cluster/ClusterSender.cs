using System.Threading.Channels;
using Google.Protobuf;
using Im.Cluster.Wire;
using Im.Diagnostics;
using Im.Messaging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Cluster;

/// <summary>What this node tells the others: one message for each node that is concerned and pass, and one for all where all are.</summary>
/// <remarks>
/// <para>Whoever has something to tell queues it and goes on. One loop takes all that waits, asks the directory once where the users are, and sends. It
/// owns the numbers: each counted message to a node, and to all, has the next one, also where it could not be sent; so the receiver notices what it
/// has missed, at the latest by the next probe.</para>
/// <para>What is for single nodes goes before what is for all: who begins to follow a conversation must know that before its next entries come.</para>
/// </remarks>
internal sealed class ClusterSender(
    ISessionDirectory directory,
    IBackplane backplane,
    ClusterState state,
    TimeProvider time,
    ImMetrics metrics,
    IOptions<ImClusterOptions> options,
    ILogger<ClusterSender> logger)
{
    private const int MaxPassBytes = 1024 * 1024;
    private const int MaxPassItems = 1000;

    private readonly Channel<Outgoing> _queue = Channel.CreateBounded<Outgoing>(
        new BoundedChannelOptions(options.Value.MaxQueuedMessages) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    // Guards the numbers, which a new epoch begins anew.
    private readonly Lock _lock = new();
    private readonly NodeNumbers _numbers = new(options.Value.KeepGoneNodes, time);
    private long _numberToAll;
    private long _epoch;
    private int _lost;
    private bool _isFailing;

    /// <summary>How much waits to be sent.</summary>
    public int Queued => _queue.Reader.Count;

    /// <summary>Called when a node is heard of that this one does not know.</summary>
    public Action? Introduced { get; set; }

    /// <summary>Tells a commit.</summary>
    public void Send(CommittedRuns committed)
    {
        if (committed.Classes.Count == 0 && committed.Read.Count == 0 && committed.Moves.Count == 0)
        {
            return;
        }

        if (state.HasPeers)
        {
            Enqueue(new Outgoing.Commit(committed));
        }
        else
        {
            Lost();
        }
    }

    /// <summary>Something is not told that may concern the sessions of other nodes, also of such as this one does not know yet: they notice by the numbers.</summary>
    public void Lost()
    {
        if (state.MayHavePeers)
        {
            Interlocked.Increment(ref _lost);
        }
    }

    /// <summary>Sends a signal to the users' sessions on other nodes.</summary>
    public void Signal(SignalPush signal, IReadOnlyList<string> userIds)
    {
        if (state.HasPeers && userIds.Count > 0)
        {
            Enqueue(new Outgoing.ToUsers(signal, userIds));
        }
    }

    /// <summary>Tells all other nodes, or one.</summary>
    public void Tell(NodeMessage part, string? nodeName = null)
    {
        if (state.HasPeers)
        {
            Enqueue(new Outgoing.Part(part, nodeName));
        }
    }

    /// <summary>Sends a question or an answer; false where the queue is full.</summary>
    public bool TrySendAlone(NodeMessage message, string nodeName) => _queue.Writer.TryWrite(new Outgoing.Alone(message, nodeName));

    /// <summary>The other node's session is over.</summary>
    public void Replace(DirectorySession session) => Enqueue(new Outgoing.Part(
        new NodeMessage
        {
            Replaced = { new Replaced { UserId = session.UserId, DeviceId = session.DeviceId, ConnectionId = session.ConnectionId, Epoch = session.Epoch } },
        },
        session.NodeName));

    /// <summary>Tells everybody that this node is there, or leaves.</summary>
    public void SayHello(bool isLeaving = false) => _queue.Writer.TryWrite(new Outgoing.Probe(isLeaving));

    /// <summary>The numbers begin anew.</summary>
    public void EpochChanged(long epoch)
    {
        lock (_lock)
        {
            _epoch = epoch;
            _numbers.Clear();
            _numberToAll = 0;
        }
    }

    /// <summary>Nothing more is queued; <see cref="RunAsync"/> ends when everything is sent.</summary>
    public void Complete() => _queue.Writer.TryComplete();

    /// <summary>Sends until <see cref="Complete"/>.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await _queue.Reader.WaitToReadAsync(cancellationToken))
            {
                try
                {
                    await SendWaitingAsync(cancellationToken);
                }
                catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
                {
                    Interlocked.Increment(ref _lost);
                    Failed(exception);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown that took too long: the others find the rest by their head checks.
        }
    }

    /// <summary>Sends probes until the token is cancelled.</summary>
    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        state.ProbesBegin();
        using var timer = new PeriodicTimer(options.Value.ProbeInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                SayHello();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }

    private void Enqueue(Outgoing item)
    {
        if (!_queue.Writer.TryWrite(item))
        {
            Interlocked.Increment(ref _lost);
            metrics.ClusterDropped("send", 1);
        }
    }

    private async Task SendWaitingAsync(CancellationToken cancellationToken)
    {
        var items = Take(out var probe);
        var places = await FindAsync(items, cancellationToken);
        var byNode = new Dictionary<string, NodeMessage>(StringComparer.Ordinal);
        var toAll = new NodeMessage();
        var alone = new List<Outgoing.Alone>();
        foreach (var item in items)
        {
            switch (item)
            {
                case Outgoing.Commit commit:
                    CommitMapping.Add(commit.Runs, places, byNode, toAll);
                    break;
                case Outgoing.ToUsers signal:
                    AddSignal(signal, places, byNode);
                    break;
                case Outgoing.Part { NodeName: { } nodeName } part:
                    CommitMapping.Get(byNode, nodeName).MergeFrom(part.Message);
                    break;
                case Outgoing.Part part:
                    toAll.MergeFrom(part.Message);
                    break;
                case Outgoing.Alone one:
                    alone.Add(one);
                    break;
            }
        }

        await PublishAsync(byNode, toAll, alone, probe, cancellationToken);
    }

    private List<Outgoing> Take(out Outgoing.Probe? probe)
    {
        var items = new List<Outgoing>();
        var bytes = 0;
        probe = null;
        while (bytes < MaxPassBytes && items.Count < MaxPassItems && _queue.Reader.TryRead(out var item))
        {
            if (item is Outgoing.Probe { } due)
            {
                probe = due.IsLeaving || probe is null ? due : probe;
                continue;
            }

            items.Add(item);
            bytes += item.Size;
        }

        return items;
    }

    // On which other nodes the users are. A directory that is away tells nobody's place; the commits count as lost then.
    private async ValueTask<UserPlaces> FindAsync(List<Outgoing> items, CancellationToken cancellationToken)
    {
        var users = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            switch (item)
            {
                case Outgoing.Commit { Runs.Classes: var classes }:
                    foreach (var one in classes)
                    {
                        users.UnionWith(one.UserIds);
                    }

                    break;
                case Outgoing.ToUsers { UserIds: var userIds }:
                    users.UnionWith(userIds);
                    break;
            }
        }

        if (users.Count == 0)
        {
            return UserPlaces.None;
        }

        try
        {
            return new UserPlaces(await directory.FindAsync([.. users], cancellationToken), state.View, state.Node.Name);
        }
        catch (ImClusterException exception)
        {
            Interlocked.Increment(ref _lost);
            Failed(exception);
            return UserPlaces.None;
        }
    }

    private static void AddSignal(Outgoing.ToUsers signal, UserPlaces places, Dictionary<string, NodeMessage> byNode)
    {
        var targets = new Dictionary<string, SignalPush>(StringComparer.Ordinal);
        foreach (var userId in signal.UserIds)
        {
            foreach (var nodeName in places.Of(userId))
            {
                if (!targets.TryGetValue(nodeName, out var push))
                {
                    targets.Add(nodeName, push = signal.Signal.Clone());
                    CommitMapping.Get(byNode, nodeName).Signals.Add(push);
                }

                push.UserIds.Add(userId);
            }
        }
    }

    private async Task PublishAsync(
        Dictionary<string, NodeMessage> byNode, NodeMessage toAll, List<Outgoing.Alone> alone, Outgoing.Probe? probe, CancellationToken cancellationToken)
    {
        var sending = new List<Task>(byNode.Count + alone.Count + 2);
        SkipLost();
        foreach (var (nodeName, message) in byNode)
        {
            Number(message, nodeName);
            sending.Add(backplane.PublishAsync(nodeName, message.ToByteArray(), cancellationToken).AsTask());
            metrics.ClusterSent("node");
        }

        foreach (var (message, nodeName) in alone)
        {
            Stamp(message);
            sending.Add(backplane.PublishAsync(nodeName, message.ToByteArray(), cancellationToken).AsTask());
            metrics.ClusterSent("request");
        }

        if (toAll.CalculateSize() > 0)
        {
            Number(toAll, null);
            sending.Add(backplane.PublishToAllAsync(toAll.ToByteArray(), cancellationToken).AsTask());
            metrics.ClusterSent("all");
        }

        if (probe is not null)
        {
            sending.Add(backplane.PublishToAllAsync(ToMessage(probe).ToByteArray(), cancellationToken).AsTask());
        }

        try
        {
            await Task.WhenAll(sending);

            // Where nobody could be found there was nobody to tell either.
            if (_isFailing && sending.Count > 0)
            {
                _isFailing = false;
                Log.BackplaneIsBack(logger);
            }
        }
        catch (ImClusterException exception)
        {
            Failed(exception);
        }
    }

    // What was dropped concerned anybody: each receiver is to notice.
    private void SkipLost()
    {
        var lost = Interlocked.Exchange(ref _lost, 0);
        if (lost > 0)
        {
            lock (_lock)
            {
                _numberToAll += lost;
            }
        }
    }

    private void Number(NodeMessage message, string? nodeName)
    {
        Stamp(message);
        lock (_lock)
        {
            message.ToAll = nodeName is null;
            message.Number = nodeName is null
                ? ++_numberToAll
                : _numbers.Next(nodeName);
        }
    }

    private void Stamp(NodeMessage message)
    {
        message.Node = state.Node.Name;
        message.Epoch = _epoch;
    }

    private NodeMessage ToMessage(Outgoing.Probe due)
    {
        var probe = new Probe { SentMs = time.GetUtcNow().ToUnixTimeMilliseconds(), IsLeaving = due.IsLeaving };
        lock (_lock)
        {
            probe.LastToAll = _numberToAll;
            _numbers.ForgetGone(state.View);
            _numbers.AddLastTo(probe.LastToNode);
        }

        var message = new NodeMessage { Probe = probe, ToAll = true };
        Stamp(message);
        return message;
    }

    private void Failed(Exception exception)
    {
        metrics.ClusterFailure("send");
        if (!_isFailing)
        {
            _isFailing = true;
            Log.BackplaneFailed(logger, exception);
        }
    }
}
