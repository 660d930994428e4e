using System.Diagnostics;
using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Clients;
using Im.LoadGenerator.Output;
using Im.LoadGenerator.Server;

namespace Im.LoadGenerator.Scenarios;

/// <summary>
/// Everybody comes back at once, as after a restart: each client connects, signs in and gets its backlog. The time is from the first connect until
/// the last client is live and has all of it. In the scenario sync the server is restarted before that, so that the store is read and not the
/// server's memory.
/// </summary>
internal sealed class StormScenario(Context context, BenchServerProcess? restarted = null) : IScenario
{
    private const int GroupMembers = 100;
    private const int SendsAtOnce = 100;

    private readonly Options _options = context.Options;

    public void Run(Report report)
    {
        var groups = MakeBacklog();
        Restart();
        var devices = new List<Device>();
        for (var i = 0; i < _options.Connections; i++)
        {
            var device = context.AddDevice(i, _options.Connections);
            var group = groups[i / GroupMembers];

            // With fan-out on read the group's first entry comes through the inbox, and its own timeline goes on after it.
            device.Join(group, group.IsRead ? 1 : 0);
            device.Generation = context.Ledger.Devices[0].Generation;
            devices.Add(device);
        }

        var times = new Histogram();
        var measurement = Measurement.Start(context.World, context.Server);
        var start = Stopwatch.GetTimestamp();
        context.World.BecameLive = _ => times.Add(Stopwatch.GetTimestamp() - start);
        context.World.Ticked = () => context.Progress.Show(() => $"{context.World.Live:N0} live, {context.Ledger.Delivered:N0} deliveries");
        context.World.ConnectAll(devices, atOnce: int.MaxValue);
        context.WaitUntilSettled();
        measurement.End(report);
        report.StormSeconds = report.Seconds;
        report.LargestPushBytes = context.Ledger.LargestPushBytes;
        report.Connections = _options.Connections;
        report.Messages = _options.Messages * (long)groups.Count;
        report.Fanout = groups[0].IsRead ? "read" : "write";
        report.MessagesPerSecond = null;
        Measurement.SetLatency(report, times);
        (report.LastP50Ms, report.LastP99Ms) = (null, null);
    }

    // Groups of a hundred; the first member of each writes from another device while nobody else is there.
    private List<Conversation> MakeBacklog()
    {
        var groups = new List<Conversation>();
        for (var first = 0; first < _options.Connections; first += GroupMembers)
        {
            var members = Math.Min(GroupMembers, _options.Connections - first);
            context.Server.CreateGroup($"load{groups.Count}", _options.Fanout, first, Math.Max(members, 2));
            var group = context.World.AddConversation($"g:load{groups.Count}");
            group.Receivers = 1;
            groups.Add(group);
            context.World.AddDevice(context.World.UserOf(first), "writer", isSampled: false).Join(group);
        }

        context.World.ConnectAll(context.Ledger.Devices);
        for (var i = 0; i < _options.Messages; i++)
        {
            foreach (var group in groups)
            {
                context.Ledger.Devices[group.Index].Send(group, Stopwatch.GetTimestamp());
            }

            if ((i + 1) * groups.Count % SendsAtOnce < groups.Count)
            {
                context.WaitUntilSettled();
            }
        }

        context.WaitUntilSettled();
        context.World.DisconnectAll();
        for (var i = 0; i < groups.Count; i++)
        {
            groups[i].Receivers = Math.Min(GroupMembers, _options.Connections - (i * GroupMembers));
        }

        context.Ledger.ExpectAgain();
        return groups;
    }

    private void Restart()
    {
        if (restarted is null)
        {
            return;
        }

        restarted.Stop();
        restarted.Begin();
        if (!context.Loop.RunUntil(restarted.TryFinishStart, _options.Patience))
        {
            throw new RunFailedException("The server did not come back.");
        }

        context.World.Target = restarted.Target;
    }
}
