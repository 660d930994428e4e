using System.Diagnostics;
using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Clients;

namespace Im.LoadGenerator.Scenarios.Crash;

/// <summary>
/// What the clients do between crashes: each keeps some messages on their way, to its partner, to a group with fan-out on write and to one with fan-out on
/// read; comes back after a lost connection; and sends what was not acked again, in the first order, before anything new.
/// </summary>
internal sealed class CrashLoad(Context context, Random random)
{
    private const int RepeatsPerDevice = 20;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(100);

    private readonly PriorityQueue<Action, long> _due = new();
    private bool _isSending;
    private bool _isOver;

    /// <summary>While the server is down nobody tries to connect: on the loopback a connect to a free port may meet itself.</summary>
    public bool IsServerUp { get; set; } = true;

    public long Resent { get; private set; }

    public List<Device> AddDevices()
    {
        var members = context.Options.Members / 2 * 2;
        var groups = new List<Conversation>();
        foreach (var fanout in new[] { "write", "read" })
        {
            context.Server.CreateGroup(fanout, fanout, 0, members);
            var group = context.World.AddConversation($"g:{fanout}");
            group.Receivers = members;
            groups.Add(group);
        }

        for (var i = 0; i < members; i++)
        {
            var device = context.AddDevice(i, members);
            if (i % 2 == 0)
            {
                context.World.AddConversation(World.DirectId(device.UserId, context.World.UserOf(i + 1))).Receivers = 2;
            }

            device.Join(context.Ledger.Conversations[^1]);
            groups.ForEach(group => device.Join(group));
        }

        return [.. context.Ledger.Devices];
    }

    public void Start()
    {
        context.World.Acked = (device, _) => Refill(device);
        context.World.Disconnected = (device, _) => At(random.Next(1, 200), () => Reconnect(device));
        context.World.SignedIn = OnSignedIn;
        context.World.Refused = OnRefused;
        _isSending = true;
        foreach (var device in context.Ledger.Devices)
        {
            Refill(device);
        }
    }

    /// <summary>No new messages; those on their way are still sent until they are acked.</summary>
    public void Stop() => _isSending = false;

    /// <summary>Sends some acked messages again: each must get the ack that it got before.</summary>
    public void RepeatSends()
    {
        var byDevice = new Dictionary<int, List<int>>();
        for (var number = 0; number < context.Ledger.Sent; number++)
        {
            var device = context.Ledger[number].Device;
            (byDevice.TryGetValue(device, out var list) ? list : byDevice[device] = []).Add(number);
        }

        var awaited = 0;
        context.World.IsRepeating = true;
        context.World.Acked = (_, _) => awaited--;
        foreach (var (device, numbers) in byDevice)
        {
            for (var i = 0; i < Math.Min(RepeatsPerDevice, numbers.Count); i++)
            {
                awaited++;
                context.Ledger.Devices[device].Transmit(numbers[random.Next(numbers.Count)]);
            }
        }

        if (!context.Loop.RunUntil(() => awaited <= 0, context.Options.Patience))
        {
            context.Ledger.Error($"{awaited} repeated sends got no ack.");
        }
    }

    /// <summary>Nobody comes back any more.</summary>
    public void EndSessions()
    {
        _isOver = true;
        context.World.DisconnectAll();
        context.World.Disconnected = null;
    }

    /// <summary>Does what is due.</summary>
    public void Tick()
    {
        while (_due.TryPeek(out var action, out var time) && time <= Stopwatch.GetTimestamp())
        {
            _due.Dequeue();
            action();
        }
    }

    private void Refill(Device device)
    {
        while (_isSending && device.State >= DeviceState.CatchingUp && device.Unacked.Count < context.Options.InFlight)
        {
            // 80 % to the partner, 10 % to each group: most of the work is still the groups'.
            var choice = random.Next(10);
            device.Send(device.Places[choice < 8 ? 0 : choice - 7].Conversation, Stopwatch.GetTimestamp());
        }
    }

    private void OnSignedIn(Device device)
    {
        Resent += device.Unacked.Count;
        foreach (var number in device.Unacked)
        {
            device.Transmit(number);
        }

        Refill(device);
    }

    private void Reconnect(Device device)
    {
        if (_isOver || device.State != DeviceState.Offline)
        {
            return;
        }

        if (IsServerUp)
        {
            device.Connect();
        }
        else
        {
            At(random.Next(20, 100), () => Reconnect(device));
        }
    }

    // The store was not there: later again, with the same id, unless the connection is another one by then and all was sent again anyway.
    private void OnRefused(Device device, int number)
    {
        context.Ledger[number].WasRefused = true;
        var attempt = device.Attempt;
        At((int)RetryAfter.TotalMilliseconds, () =>
        {
            if (device.Attempt == attempt && device.State >= DeviceState.CatchingUp && device.Unacked.Contains(number))
            {
                Resent++;
                device.Transmit(number);
            }
        });
    }

    private void At(int inMs, Action action) => _due.Enqueue(action, Stopwatch.GetTimestamp() + (inMs * Stopwatch.Frequency / 1000));
}
