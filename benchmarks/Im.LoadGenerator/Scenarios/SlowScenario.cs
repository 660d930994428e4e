using Im.LoadGenerator.Output;

namespace Im.LoadGenerator.Scenarios;

/// <summary>
/// Messages to one group at a fixed rate, first with all members reading, then with some that stop. The latencies are the others'. At the end those
/// who stopped read on, and must get everything.
/// </summary>
internal sealed class SlowScenario(Context context) : IScenario
{
    private readonly Options _options = context.Options;

    public void Run(Report report)
    {
        var group = context.JoinGroup(report);
        var pacer = new Pacer(context, group);
        pacer.Run(TimeSpan.FromSeconds(_options.Warmup > 0 ? 3 : 0), "warm-up");
        context.WaitUntilSettled();

        var without = new Report();
        var measurement = Measurement.Start(context.World, context.Server);
        pacer.Run(_options.Duration, "all read");
        context.WaitUntilSettled();
        measurement.End(without);

        // Spread over the group, since the server serves its members in some order.
        var count = Math.Max(1, (int)(_options.Members * _options.SlowPercent / 100));
        var slow = Enumerable.Range(0, count).Select(i => context.Ledger.Devices[(int)((i + 0.5) * _options.Members / count)]).ToList();
        foreach (var device in context.Ledger.Devices)
        {
            // All others are sampled: among every 16th there might be none.
            device.IsSampled = !slow.Contains(device);
        }

        slow.ForEach(device => device.SetReading(false));
        measurement = Measurement.Start(context.World, context.Server);
        pacer.Run(_options.Duration, $"{count} stopped");
        measurement.End(report);
        (report.LastP50Ms, report.LastP99Ms) = (null, null);
        report.Rate = _options.Rate;
        report.SlowPercent = _options.SlowPercent;
        report.P99WithoutSlowMs = without.P99Ms;
        report.P99Ratio = report.P99Ms / without.P99Ms;

        slow.ForEach(device => device.SetReading(true));
        context.WaitUntilSettled();
    }
}
