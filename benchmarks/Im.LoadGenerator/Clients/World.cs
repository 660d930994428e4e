using System.Diagnostics;
using System.Globalization;
using Im.LoadGenerator.Checks;
using Im.Protocol;

namespace Im.LoadGenerator.Clients;

/// <summary>All clients of a run, and what happens to them beyond their own bookkeeping. A scenario sets the handlers it cares for.</summary>
internal sealed class World
{
    private readonly Options _options;
    private int _nextTicked;
    private bool _isClosing;

    public World(Options options, Target target)
    {
        _options = options;
        Target = target;
        Loop.Ticked = OnTick;
    }

    public ClientLoop Loop { get; } = new();

    public Ledger Ledger { get; } = new();

    /// <summary>Where clients connect to; another one after a restart on other ports.</summary>
    public Target Target { get; set; }

    public Action? Ticked { get; set; }

    public Action<Device, int>? Acked { get; set; }

    /// <summary>A connection ended that nobody closed here; without a handler that is an error.</summary>
    public Action<Device, string>? Disconnected { get; set; }

    /// <summary>A send was refused for a reason for which clients send again; without a handler that is an error.</summary>
    public Action<Device, int>? Refused { get; set; }

    public Action<Device>? SignedIn { get; set; }

    public Action<Device>? BecameLive { get; set; }

    /// <summary>Messages are sent again that were acked before.</summary>
    public bool IsRepeating { get; set; }

    public int Live { get; private set; }

    public long PingEvery { get; private set; } = 20 * Stopwatch.Frequency;

    public string TokenOf(string userId) => _options.Token.Replace("{0}", userId, StringComparison.Ordinal);

    public string UserOf(int number) => string.Format(CultureInfo.InvariantCulture, _options.User, number);

    public Device AddDevice(string userId, string deviceId, bool isSampled)
    {
        var device = new Device(this, Ledger.Devices.Count, userId, deviceId, isSampled);
        Ledger.Devices.Add(device);
        return device;
    }

    /// <summary>How many devices have been let into their rooms.</summary>
    public int Subscribed { get; set; }

    public Conversation AddConversation(string id, bool isRoom = false)
    {
        var conversation = new Conversation(Ledger.Conversations.Count, id, Target.Transport, _options.Bytes, isRoom);
        Ledger.Conversations.Add(conversation);
        return conversation;
    }

    /// <summary>What stands in a conversation of somebody else's server already is not looked at.</summary>
    public void SetBase(Conversation conversation, long head)
    {
        if (!_options.IsOwnServer && conversation.Head == 0)
        {
            conversation.Base = head;
        }
    }

    /// <summary>The conversation of two users: their ids in byte order.</summary>
    public static string DirectId(string first, string second)
    {
        if (string.CompareOrdinal(first, second) > 0)
        {
            (first, second) = (second, first);
        }

        return $"d:{System.Text.Encoding.UTF8.GetByteCount(first)}:{first}:{second}";
    }

    /// <summary>Connects devices, some at a time, and waits until all are live.</summary>
    public void ConnectAll(IReadOnlyList<Device> devices, int atOnce = 256)
    {
        var next = 0;
        var before = Live;
        var isThere = Loop.RunUntil(
            () =>
            {
                while (next < devices.Count && next - (Live - before) < atOnce)
                {
                    devices[next++].Connect();
                }

                return Live - before == devices.Count;
            },
            _options.Patience);
        if (!isThere)
        {
            throw new RunFailedException($"Only {Live - before} of {devices.Count} clients signed in within {_options.Patience.TotalSeconds:0} s without progress.");
        }
    }

    public void DisconnectAll()
    {
        _isClosing = true;
        foreach (var device in Ledger.Devices)
        {
            device.Disconnect();
        }

        _isClosing = false;
    }

    public void StateChanged(DeviceState from, DeviceState to) =>
        Live += (to == DeviceState.Live ? 1 : 0) - (from == DeviceState.Live ? 1 : 0);

    public void OnSignedIn(Device device) => SignedIn?.Invoke(device);

    public void OnDisconnected(Device device, string reason, bool isProtocolError)
    {
        if (_isClosing)
        {
            return;
        }

        if (isProtocolError || Disconnected is null)
        {
            Ledger.Error($"{device.UserId}: {reason}.");
        }

        Disconnected?.Invoke(device, reason);
    }

    public void OnClose(Device device, Close close)
    {
        if (Disconnected is null)
        {
            Ledger.Error($"{device.UserId}: closed with {close.Code}: {close.Reason}");
        }
    }

    public void OnRefused(Device device, int number, Error error)
    {
        if (IsExpected(error))
        {
            Refused!(device, number);
            return;
        }

        device.Unacked.Remove(number);
        Ledger.Error($"{device.UserId}: message {number} was refused with {error.Code} {error.Reason}: {error.Message}");
    }

    /// <summary>Whether a client would try again, see docs/protocol.md, and the scenario lets it.</summary>
    public bool IsExpected(Error error) => Refused is not null && (error.Code is 100 or 101 or 102 or 203 or 407 or 410);

    public void UsePingInterval(int idleTimeoutMs) =>
        PingEvery = idleTimeoutMs > 0 ? (long)(idleTimeoutMs / 3000.0 * Stopwatch.Frequency) : long.MaxValue;

    // A fiftieth of the devices at each tick, so each about once in the interval of device acks.
    private void OnTick()
    {
        var count = Ledger.Devices.Count;
        var perTick = (int)Math.Ceiling(count / (50 * _options.DeviceAcks.TotalSeconds));
        for (var i = 0; i < Math.Min(perTick, count); i++)
        {
            _nextTicked = (_nextTicked + 1) % count;
            Ledger.Devices[_nextTicked].Tick(sendDeviceAck: !_options.NoDeviceAcks);
        }

        Ticked?.Invoke();
    }
}
