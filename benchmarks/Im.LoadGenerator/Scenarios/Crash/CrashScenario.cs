using Im.LoadGenerator.Clients;
using Im.LoadGenerator.Output;
using Im.LoadGenerator.Server;

namespace Im.LoadGenerator.Scenarios.Crash;

/// <summary>
/// The server, or the database under it, is killed again and again under full load; clients come back and send again what was not acked. At the end the
/// store must hold every acked message once, in everybody's timelines.
/// </summary>
internal sealed class CrashScenario(Context context, BenchServerProcess server, IStore store) : IScenario
{
    private const int KillsPerLine = 10;

    private readonly Options _options = context.Options;
    private readonly Random _random = new(context.Options.Seed);

    public void Run(Report report)
    {
        var load = new CrashLoad(context, _random);
        var devices = load.AddDevices();
        context.World.ConnectAll(devices);
        load.Start();

        var kills = 0;
        context.World.Ticked = () =>
        {
            load.Tick();
            context.Progress.Show(() => $"kill {kills} of {_options.Kills}: {context.Ledger.Acked:N0} acked, {context.Ledger.Delivered:N0} deliveries, {load.Resent:N0} resent");
        };
        var measurement = Measurement.Start(context.World, context.Server);
        while (kills < _options.Kills)
        {
            WaitForTheMoment(devices.Count);
            kills++;
            if (_options.Kill == "store")
            {
                CrashStore();
            }
            else
            {
                CrashServer(load);
            }

            if (kills % KillsPerLine == 0)
            {
                // A long run is watched from a log, too.
                Console.Error.WriteLine($"{kills} kills: {context.Ledger.Acked} acked, {context.Ledger.Delivered} deliveries, {load.Resent} resent");
            }
        }

        WaitUntilAllAreLive(devices.Count);
        context.Loop.RunFor(TimeSpan.FromMilliseconds(500));
        load.Stop();
        var isSettled = context.Loop.RunUntil(() => context.Ledger.IsSettled && context.World.Live == devices.Count, _options.Patience);
        measurement.End(report);
        if (isSettled)
        {
            load.RepeatSends();
            load.EndSessions();
            server.Kill();
            Restart(load);
            var delivered = context.Ledger.Delivered;
            CrashVerification.Run(context, devices);
            report.VerifiedDeliveries = context.Ledger.Delivered - delivered;
        }

        Fill(report, load, kills);
    }

    // Mostly some time after everybody is back, and often while they are coming back.
    private void WaitForTheMoment(int devices)
    {
        var choice = _random.NextDouble();
        if (choice < 0.7)
        {
            WaitUntilAllAreLive(devices);
            WaitUntilAcksFlow(devices);
        }

        context.Loop.RunFor(TimeSpan.FromMilliseconds(choice switch
        {
            < 0.6 => _random.Next(50, 600),
            < 0.7 => _random.Next(600, 1500),
            _ => _random.Next(0, 300),
        }));
    }

    private void CrashServer(CrashLoad load)
    {
        server.Kill();
        Restart(load);
    }

    private void Restart(CrashLoad load)
    {
        load.IsServerUp = false;
        server.Begin();
        if (!context.Loop.RunUntil(server.TryFinishStart, _options.Patience))
        {
            throw new RunFailedException("The server did not come back.");
        }

        context.World.Target = server.Target;
        load.IsServerUp = true;
    }

    private void CrashStore()
    {
        store.Kill();
        context.Loop.RunFor(TimeSpan.FromMilliseconds(_random.Next(0, 1000)));
        var restart = Task.Run(store.Restart);
        context.Loop.RunUntil(() => restart.IsCompleted, _options.Patience);
        restart.GetAwaiter().GetResult();
    }

    private void WaitUntilAllAreLive(int devices)
    {
        if (!context.Loop.RunUntil(() => context.World.Live == devices, _options.Patience))
        {
            throw new RunFailedException($"Only {context.World.Live} of {devices} clients came back.");
        }
    }

    private void WaitUntilAcksFlow(int acks)
    {
        var before = context.Ledger.Acked;
        if (!context.Loop.RunUntil(() => context.Ledger.Acked >= before + acks, _options.Patience))
        {
            throw new RunFailedException("Nothing is acked any more.");
        }
    }

    private void Fill(Report report, CrashLoad load, int kills)
    {
        report.Members = _options.Members;
        report.Messages = context.Ledger.Acked;
        report.Kills = kills;
        report.Killed = _options.Kill;
        report.Resent = load.Resent;
        report.Fanout = "write, read";

        // Of several processes one after the other, with pauses between: no figures of one server.
        (report.ServerCpuSeconds, report.ServerCpuSecondsPerMillion, report.StoreCpuSeconds) = (null, null, null);
        report.ServerAllocatedBytesPerDelivery = null;
        Measurement.SetLatency(report, context.Ledger.Acks);
    }
}
