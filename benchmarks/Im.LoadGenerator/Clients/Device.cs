using System.Text;
using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Wire;
using Im.Protocol;

namespace Im.LoadGenerator.Clients;

/// <summary>What a client is doing.</summary>
internal enum DeviceState
{
    Offline,
    Connecting,
    SigningIn,

    /// <summary>Signed in, and the backlog up to the inbox's head of that moment is not all there.</summary>
    CatchingUp,
    Live,
}

/// <summary>One installation of a client: its cursors outlive its connections. Checks whatever it gets.</summary>
internal sealed partial class Device
{
    private readonly World _world;
    private readonly Ledger _ledger;
    private readonly List<Place> _places = [];
    private readonly string _instanceId = Guid.NewGuid().ToString("N");
    private Connection? _connection;
    private Place? _lastPlace;
    private long _inboxHead;
    private long _lastSentAt;
    private bool _hasNews;

    public Device(World world, int index, string userId, string deviceId, bool isSampled)
    {
        _world = world;
        _ledger = world.Ledger;
        IsSampled = isSampled;
        Index = index;
        UserId = userId;
        DeviceId = deviceId;
        UserIdBytes = Encoding.UTF8.GetBytes(userId);
    }

    public int Index { get; }

    public string UserId { get; }

    public string DeviceId { get; }

    public byte[] UserIdBytes { get; }

    public DeviceState State { get; private set; }

    /// <summary>Whether the latencies of its deliveries are taken.</summary>
    public bool IsSampled { get; set; }

    /// <summary>False: it hangs. It neither reads nor sends.</summary>
    public bool IsReading { get; private set; } = true;

    /// <summary>The store generation of the cursors; empty = none yet.</summary>
    public string Generation { get; set; } = "";

    public long InboxCursor { get; private set; }

    /// <summary>Which of its connections it is.</summary>
    public uint Attempt { get; private set; }

    /// <summary>The inbox's head when the device signed in last.</summary>
    public long InboxHead => _inboxHead;

    /// <summary>Messages whose ack is awaited, in the order in which they were sent.</summary>
    public List<int> Unacked { get; } = [];

    public IReadOnlyList<Place> Places => _places;

    public ReadOnlySpan<byte> MessageIdBytes(int number) => Encoding.ASCII.GetBytes(SendFrame.MessageIdOf(number));

    /// <summary>The device takes part in the conversation and has it up to a seq.</summary>
    public void Join(Conversation conversation, long last = 0) => _places.Add(new Place(conversation, last));

    public void Connect()
    {
        State = DeviceState.Connecting;
        _connection = new Connection(_world.Loop, this, _world.Target, _world.Target.SourceOf(Index));
    }

    /// <summary>Leaves without a word.</summary>
    public void Disconnect()
    {
        _connection?.Close();
        _connection = null;
        _world.StateChanged(State, DeviceState.Offline);
        State = DeviceState.Offline;
    }

    /// <summary>Sends a new message.</summary>
    /// <param name="conversation">Where to.</param>
    /// <param name="sentAt">The moment from which its latency counts: when it was due.</param>
    public int Send(Conversation conversation, long sentAt)
    {
        var number = _ledger.Add(this, conversation, sentAt);
        Unacked.Add(number);
        Transmit(number);
        return number;
    }

    /// <summary>Sends a message of this device (again).</summary>
    public void Transmit(int number)
    {
        _lastSentAt = _world.Loop.Now;
        _connection?.Send(_ledger.Conversations[_ledger[number].Conversation].Frame.For(number));
    }

    /// <summary>Stops or goes on reading the socket.</summary>
    public void SetReading(bool isReading)
    {
        IsReading = isReading;
        _connection?.SetReading(isReading);
    }

    /// <summary>About once a second: the device ack of a client that saved its cursor, and a ping when nothing else was sent for long.</summary>
    public void Tick(bool sendDeviceAck)
    {
        if (State < DeviceState.CatchingUp)
        {
            return;
        }

        if (sendDeviceAck && _hasNews)
        {
            _hasNews = false;
            var ack = new DeviceAck { InboxSeq = InboxCursor };
            ack.Conversations.AddRange(_places.Where(place => place.Conversation.IsRead).Select(ToCursor));
            Write(new ClientPacket { DeviceAck = ack });
        }
        else if (_world.Loop.Now - _lastSentAt > _world.PingEvery)
        {
            Write(new ClientPacket { RequestId = 2, Ping = new Ping() });
        }
    }

    public void OnConnected()
    {
        State = DeviceState.SigningIn;
        var signIn = new SignIn
        {
            Token = _world.TokenOf(UserId),
            DeviceId = DeviceId,
            Generation = Generation,
            InboxCursor = InboxCursor,
            InstanceId = _instanceId,
            Attempt = ++Attempt,
        };
        if (Generation.Length > 0)
        {
            signIn.ConversationCursors.AddRange(_places.Where(place => place.Conversation.IsRead).Select(ToCursor));
        }

        Write(new ClientPacket { RequestId = 1, SignIn = signIn });
    }

    public void OnDisconnected(Connection connection, string reason, bool isProtocolError)
    {
        if (connection != _connection && _connection is not null)
        {
            return;
        }

        _connection = null;
        _world.StateChanged(State, DeviceState.Offline);
        State = DeviceState.Offline;
        _world.OnDisconnected(this, reason, isProtocolError);
    }

    private void Write(ClientPacket packet)
    {
        _lastSentAt = _world.Loop.Now;
        var codec = _world.Target.Transport == TransportKind.WsJson ? ImCodec.Json : ImCodec.Protobuf;
        _connection?.Send(FrameHeader.Wrap(PacketCodec.Write(packet, codec), _world.Target.Transport));
    }

    private void SetLive()
    {
        if (State == DeviceState.CatchingUp && InboxCursor >= _inboxHead)
        {
            State = DeviceState.Live;
            _world.StateChanged(DeviceState.CatchingUp, DeviceState.Live);
            _world.BecameLive?.Invoke(this);
        }
    }

    private static ConversationCursor ToCursor(Place place) =>
        new() { ConversationId = place.Conversation.Id, ConversationSeq = place.Last };
}
