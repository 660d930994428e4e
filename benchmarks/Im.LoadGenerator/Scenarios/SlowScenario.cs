using System.Diagnostics;
using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Clients;
using Im.LoadGenerator.Output;

namespace Im.LoadGenerator.Scenarios;

/// <summary>
/// Messages to one group at a fixed rate, first with all members reading, then with some that stop. The latencies are the others'. At the end those
/// who stopped read on, and must get everything.
/// </summary>
internal sealed class SlowScenario(Context context) : IScenario
{
    // More than a socket's buffers on both sides and MaxQueueBytes hold by default.
    private const long FillBytes = 3 * 1024 * 1024;

    private readonly Options _options = context.Options;

    public void Run(Report report)
    {
        var group = context.JoinGroup(report);
        var slow = ChooseSlow();
        var pacer = new Pacer(context, group);
        pacer.Run(TimeSpan.FromSeconds(_options.Warmup > 0 ? 3 : 0), "warm-up");
        context.WaitUntilSettled();

        var without = new Report();
        var measurement = Measurement.Start(context.World, context.Server);
        pacer.Run(_options.Duration, "all read");
        context.WaitUntilSettled();
        measurement.End(without);

        slow.ForEach(device => device.SetReading(false));
        Fill(group, slow.Count);
        measurement = Measurement.Start(context.World, context.Server);
        pacer.Run(_options.Duration, $"{slow.Count} stopped");
        measurement.End(report);
        (report.LastP50Ms, report.LastP99Ms) = (null, null);
        report.Rate = _options.Rate;
        report.SlowPercent = _options.SlowPercent;
        report.P99WithoutSlowMs = without.P99Ms;
        report.P99Ratio = report.P99Ms / without.P99Ms;

        slow.ForEach(device => device.SetReading(true));
        context.WaitUntilSettled();
    }

    // Spread over the group, since the server serves its members in some order. The latencies of all others are taken, in both parts.
    private List<Device> ChooseSlow()
    {
        var count = Math.Max(1, (int)(_options.Members * _options.SlowPercent / 100));
        var slow = Enumerable.Range(0, count).Select(i => context.Ledger.Devices[(int)((i + 0.5) * _options.Members / count)]).ToList();
        foreach (var device in context.Ledger.Devices)
        {
            device.IsSampled = !slow.Contains(device);
        }

        return slow;
    }

    // Until the kernel's buffers and the server's queues of those who stopped are full: before that nobody could tell that they did.
    private void Fill(Conversation group, int slow)
    {
        var delivered = context.Ledger.Delivered;
        var filled = 0L;
        for (var sent = 0; filled < FillBytes;)
        {
            foreach (var device in context.Ledger.Devices.Where(device => device.IsReading))
            {
                device.Send(group, Stopwatch.GetTimestamp());
                sent++;
            }

            context.Progress.Show(() => $"{slow} stopped: filling their buffers, {filled:N0} bytes");
            var others = delivered + ((long)sent * (_options.Members - slow));
            if (!context.Loop.RunUntil(() => context.Ledger.Acked == context.Ledger.Sent && context.Ledger.Delivered >= others, _options.Patience))
            {
                throw new RunFailedException("The others get nothing any more while some do not read.");
            }

            filled = (long)sent * group[group.Head].Length;
        }
    }
}
