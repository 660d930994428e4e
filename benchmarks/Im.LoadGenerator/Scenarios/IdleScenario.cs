using System.Diagnostics;
using Im.LoadGenerator.Output;
using Im.LoadGenerator.Server;

namespace Im.LoadGenerator.Scenarios;

/// <summary>Connections that are signed in and do nothing but ping: the server's memory for each, and its processor time meanwhile.</summary>
internal sealed class IdleScenario(Context context) : IScenario
{
    private static readonly TimeSpan SettleStep = TimeSpan.FromSeconds(1);
    private const int MaxSettleSteps = 20;

    public void Run(Report report)
    {
        var options = context.Options;
        for (var i = 0; i < options.Connections; i++)
        {
            context.AddDevice(i, options.Connections);
        }

        var listening = Settle();
        context.World.Ticked = () => context.Progress.Show(() => $"{context.World.Live:N0} signed in");
        context.World.ConnectAll(context.Ledger.Devices);
        Settle();
        context.Server.Collect();
        var signedIn = Settle();

        var measurement = Measurement.Start(context.World, context.Server);
        context.World.Ticked = () => context.Progress.Show(() => $"{context.World.Live:N0} idle");
        context.Loop.RunFor(options.Duration);
        measurement.End(report);
        report.Connections = options.Connections;
        report.ServerRssBytesPerConnection = (double?)(signedIn - listening) / options.Connections;
    }

    /// <summary>Waits until the server's memory has stopped to change; null where its process is not known.</summary>
    private long? Settle()
    {
        if (context.Server.Pid is not { } pid)
        {
            return null;
        }

        var last = ProcessFigures.ResidentBytes(pid);
        for (var i = 0; i < MaxSettleSteps; i++)
        {
            context.Loop.RunFor(SettleStep);
            var now = ProcessFigures.ResidentBytes(pid);
            if (Math.Abs(now - last) < last / 500)
            {
                return now;
            }

            last = now;
        }

        return last;
    }
}
