using Im.LoadGenerator.Output;

namespace Im.LoadGenerator.Scenarios;

/// <summary>Messages to one group at a fixed rate.</summary>
internal sealed class OpenLoopScenario(Context context) : IScenario
{
    private static readonly TimeSpan WarmupTime = TimeSpan.FromSeconds(3);

    public void Run(Report report)
    {
        var group = context.JoinGroup(report);
        var pacer = new Pacer(context, group);
        if (context.Options.Warmup > 0)
        {
            pacer.Run(WarmupTime, "warm-up");
            context.WaitUntilSettled();
        }

        var measurement = Measurement.Start(context.World, context.Server);
        pacer.Run(context.Options.Duration, "open-loop");
        context.WaitUntilSettled();
        measurement.End(report);
        report.Rate = context.Options.Rate;
    }
}
