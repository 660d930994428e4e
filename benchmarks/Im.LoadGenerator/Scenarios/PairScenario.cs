using System.Diagnostics;
using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Clients;
using Im.LoadGenerator.Output;

namespace Im.LoadGenerator.Scenarios;

/// <summary>
/// Clients that send one-to-one messages in a closed loop, the next one when an earlier one is acked. <c>direct</c>: two clients write to each other.
/// <c>echo</c>: the other one is never online, so that it is the way of a send to its ack.
/// </summary>
internal sealed class PairScenario(Context context, bool isEcho) : IScenario
{
    private static readonly TimeSpan WarmupTime = TimeSpan.FromSeconds(2);

    private readonly Options _options = context.Options;
    private long _sendUntil = long.MaxValue;

    public void Run(Report report)
    {
        var conversations = AddDevices();
        context.World.ConnectAll(context.Ledger.Devices);
        context.World.Acked = (device, _) => SendNext(device, conversations[device.Index]);

        Start(conversations, _options.Warmup > 0 ? WarmupTime : TimeSpan.FromTicks(1));
        var measurement = Measurement.Start(context.World, context.Server);
        Start(conversations, _options.Duration);
        measurement.End(report);
        report.Connections = context.Ledger.Devices.Count;
        if (isEcho)
        {
            Measurement.SetLatency(report, context.Ledger.Acks);
        }
    }

    private List<Conversation> AddDevices()
    {
        // Pairs need both of them.
        var count = isEcho ? _options.Connections : (_options.Connections + 1) / 2 * 2;
        var conversations = new List<Conversation>();
        for (var i = 0; i < count; i++)
        {
            var device = context.World.AddDevice(context.World.UserOf(i), "load", isSampled: true);
            var partner = isEcho ? count + i : i ^ 1;
            var conversation = !isEcho && i % 2 == 1
                ? conversations[i - 1]
                : context.World.AddConversation(World.DirectId(device.UserId, context.World.UserOf(partner)));
            conversation.Receivers = isEcho ? 1 : 2;
            conversations.Add(conversation);
            device.Join(conversation);
        }

        return conversations;
    }

    private void Start(List<Conversation> conversations, TimeSpan time)
    {
        _sendUntil = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        foreach (var device in context.Ledger.Devices)
        {
            for (var i = 0; i < _options.InFlight; i++)
            {
                SendNext(device, conversations[device.Index]);
            }
        }

        context.World.Ticked = () => context.Progress.Show(() => $"{context.Ledger.Acked:N0} messages, {context.Ledger.Delivered:N0} deliveries");
        context.Loop.RunUntil(() => context.Ledger.IsSettled && context.Loop.Now >= _sendUntil, _options.Patience);
    }

    private void SendNext(Device device, Conversation conversation)
    {
        if (context.Loop.Now < _sendUntil)
        {
            device.Send(conversation, Stopwatch.GetTimestamp());
        }
    }
}
