using System.Threading.Channels;
using Google.Protobuf;
using Im.Cluster.Wire;
using Im.Connections;
using Im.Conversations;
using Im.Diagnostics;
using Im.Messaging;
using Im.Protocol;
using Im.Sync;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Cluster;

/// <summary>What other nodes tell this one. What is missing is noticed by the numbers, and read from the store.</summary>
/// <remarks>One loop handles messages in the order in which they came; it owns what is known of the senders' numbers.</remarks>
internal sealed class ClusterReceiver
{
    private readonly Channel<ReadOnlyMemory<byte>> _queue;
    private readonly ClusterState _state;
    private readonly ClusterSender _sender;
    private readonly LocalDelivery _delivery;
    private readonly ConversationCache _conversations;
    private readonly PageReader _pages;
    private readonly SessionRegistry _sessions;
    private readonly RemoteSignals _signals;
    private readonly ClusterRequests _requests;
    private readonly IClusterListener[] _listeners;
    private readonly HeadCheck _headCheck;
    private readonly TimeProvider _time;
    private readonly TimeSpan _keepGone;
    private readonly ImMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Dictionary<string, Heard> _heard = new(StringComparer.Ordinal);

    public ClusterReceiver(
        ClusterState state,
        ClusterSender sender,
        LocalDelivery delivery,
        ConversationCache conversations,
        PageReader pages,
        SessionRegistry sessions,
        RemoteSignals signals,
        ClusterRequests requests,
        IEnumerable<IClusterListener> listeners,
        HeadCheck headCheck,
        TimeProvider time,
        ImMetrics metrics,
        IOptions<ImClusterOptions> options,
        ILogger<ClusterReceiver> logger)
    {
        _state = state;
        _sender = sender;
        _delivery = delivery;
        _conversations = conversations;
        _pages = pages;
        _sessions = sessions;
        _signals = signals;
        _requests = requests;
        _listeners = [.. listeners];
        _headCheck = headCheck;
        _time = time;
        _keepGone = options.Value.KeepGoneNodes;
        _metrics = metrics;
        _logger = logger;
        _queue = Channel.CreateBounded<ReadOnlyMemory<byte>>(
            new BoundedChannelOptions(options.Value.MaxQueuedMessages) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    }

    /// <summary>Of how many nodes it is known what they sent; for tests.</summary>
    public int KnownNodes => _heard.Count;

    /// <summary>Takes a message from the backplane. One too many is dropped, which its number tells.</summary>
    public void Receive(ReadOnlyMemory<byte> message)
    {
        if (!_queue.Writer.TryWrite(message))
        {
            _metrics.ClusterDropped("receive", 1);
        }
    }

    /// <summary>Handles messages until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var bytes in _queue.Reader.ReadAllAsync(cancellationToken))
            {
                Handle(bytes);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }

    private void Handle(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var message = NodeMessage.Parser.ParseFrom(bytes.Span);
            if (message.Node == _state.Node.Name)
            {
                HearOwn(message);
                return;
            }

            _metrics.ClusterReceived();
            Apply(message);
            if (IsMissing(message))
            {
                _metrics.ClusterMissed();
                Log.MessagesMissed(_logger, message.Node);
                _headCheck.CheckEverythingSoon();
            }
        }
        catch (Exception exception)
        {
            // Whatever it was, the store has what it was about.
            Log.MessageNotUnderstood(_logger, exception);
            _headCheck.CheckEverythingSoon();
        }
    }

    private void HearOwn(NodeMessage message)
    {
        if (message.Probe is not null && message.Epoch == _state.View.Epoch)
        {
            _state.HeardProbe();
            ForgetGone();
        }
    }

    // One that was silent for so long and is heard of again is new: that costs a head check.
    private void ForgetGone()
    {
        var now = _time.GetTimestamp();
        foreach (var (name, heard) in _heard)
        {
            if (!_state.View.Nodes.ContainsKey(name) && _time.GetElapsedTime(heard.At, now) > _keepGone)
            {
                _heard.Remove(name);
            }
        }
    }

    private void Apply(NodeMessage message)
    {
        foreach (var commit in message.Commits)
        {
            foreach (var change in commit.Changes)
            {
                _conversations.Invalidate(change.ConversationId, change.Version);
            }

            var committed = CommitMapping.Read(commit);
            _delivery.FollowMemberships(committed);
            _delivery.Deliver(committed);
        }

        foreach (var signal in message.Signals)
        {
            _signals.Deliver(signal);
        }

        foreach (var replaced in message.Replaced)
        {
            Close(replaced);
        }

        if (message.ErasedConversations.Count > 0)
        {
            _pages.Forget([.. message.ErasedConversations]);
        }

        if (message.Request is { } request)
        {
            _requests.Asked(message.Node, request);
        }

        if (message.Response is { } response)
        {
            _requests.Answered(response);
        }

        foreach (var listener in _listeners)
        {
            listener.Received(message);
        }
    }

    private void Close(Replaced replaced)
    {
        foreach (var session in _sessions.Get(replaced.UserId))
        {
            if (session.Device.DeviceId == replaced.DeviceId && session.Connection.Id == replaced.ConnectionId)
            {
                session.Connection.Close(ImCloseCode.Replaced, "This device signed in on another connection.");
            }
        }
    }

    // Whether something that the sender has counted did not come. The first message of a node or epoch only tells where the counting stands: what the
    // node committed before it knew of this one was not told.
    private bool IsMissing(NodeMessage message)
    {
        if (!_heard.TryGetValue(message.Node, out var heard) || heard.Epoch < message.Epoch)
        {
            var isNew = heard is null;
            _heard[message.Node] = heard = new Heard { Epoch = message.Epoch, At = _time.GetTimestamp() };
            heard.Follow(message, _state.Node.Name);
            if (!_state.View.Nodes.TryGetValue(message.Node, out var known) || known.Epoch < message.Epoch)
            {
                // A node that nobody has told this one of: it has sessions, and wants to hear of commits.
                _sender.Introduced?.Invoke();
            }

            if (isNew)
            {
                _headCheck.CheckEverythingSoon();
            }

            return !isNew;
        }

        heard.At = _time.GetTimestamp();
        return heard.Epoch == message.Epoch && heard.Follow(message, _state.Node.Name);
    }

    private sealed class Heard
    {
        private long _lastToMe;
        private long _lastToAll;

        public required long Epoch { get; init; }

        public required long At { get; set; }

        public bool Follow(NodeMessage message, string ownName)
        {
            if (message.Probe is { } probe)
            {
                var lastToMe = probe.LastToNode.GetValueOrDefault(ownName);
                var isBehind = lastToMe > _lastToMe || probe.LastToAll > _lastToAll;
                _lastToMe = Math.Max(_lastToMe, lastToMe);
                _lastToAll = Math.Max(_lastToAll, probe.LastToAll);
                return isBehind;
            }

            if (message.Number == 0)
            {
                return false;
            }

            ref var last = ref message.ToAll ? ref _lastToAll : ref _lastToMe;
            var isMissing = message.Number > last + 1;
            last = Math.Max(last, message.Number);
            return isMissing;
        }
    }
}
