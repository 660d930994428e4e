using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Clients;
using Im.LoadGenerator.Output;
using Im.LoadGenerator.Scenarios;
using Im.LoadGenerator.Scenarios.Crash;
using Im.LoadGenerator.Server;
using Im.LoadGenerator.Wire;

namespace Im.LoadGenerator;

/// <summary>One run: a server, a world of clients, a scenario, an audit, a report.</summary>
internal static class Runner
{
    public static Report Run(Options options)
    {
        Console.Error.WriteLine($"seed {options.Seed}");
        var report = new Report
        {
            Scenario = options.Scenario,
            Transport = options.Transport switch { TransportKind.Tcp => "tcp", TransportKind.Ws => "ws", _ => "ws-json" },
            Store = options.IsOwnServer ? options.Store : null,
            Seed = options.Seed,
        };
        using var server = Servers.Create(options);
        var world = new World(options, server.Target);
        var progress = new Progress();
        CreateScenario(new Context(options, server, world, progress)).Run(report);
        progress.Clear();
        world.DisconnectAll();
        Audit.Run(world.Ledger);
        report.Lost = world.Ledger.Lost;
        report.Duplicated = world.Ledger.Duplicated;
        report.Reordered = world.Ledger.Reordered;
        report.Errors = world.Ledger.Errors;
        return report;
    }

    private static CrashScenario CreateCrash(Context context)
    {
        var server = (BenchServerProcess)context.Server; // the options allow no other
        return new CrashScenario(context, server, server.Store);
    }

    private static IScenario CreateScenario(Context context) => context.Options.Scenario switch
    {
        "group" => new GroupScenario(context),
        "room" => new RoomScenario(context),
        "direct" => new PairScenario(context, isEcho: false),
        "echo" => new PairScenario(context, isEcho: true),
        "open-loop" => new OpenLoopScenario(context),
        "slow" => new SlowScenario(context),
        "idle" => new IdleScenario(context),
        "storm" => new StormScenario(context),
        "sync" => new StormScenario(context, (BenchServerProcess)context.Server),
        _ => CreateCrash(context),
    };
}
