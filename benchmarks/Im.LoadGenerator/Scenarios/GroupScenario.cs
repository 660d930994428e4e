using System.Diagnostics;
using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Output;

namespace Im.LoadGenerator.Scenarios;

/// <summary>The shape of GoChat's benchmark: in each round some messages to one group; the round is over when all members have all of them.</summary>
internal class GroupScenario(Context context) : IScenario
{
    private readonly Options _options = context.Options;
    private readonly Random _random = new(context.Options.Seed);

    public void Run(Report report)
    {
        var group = Join(report);
        for (var round = 0; round < _options.Warmup; round++)
        {
            RunRound(group, "warm-up", round);
        }

        var from = context.Ledger.Sent;
        var measurement = Measurement.Start(context.World, context.Server);
        var start = Stopwatch.GetTimestamp();
        for (var round = 0; round < _options.Rounds; round++)
        {
            if (_options.Tick > TimeSpan.Zero && (_options.Tick * round) - Stopwatch.GetElapsedTime(start) is var wait && wait > TimeSpan.Zero)
            {
                context.Loop.RunFor(wait);
            }

            if (!RunRound(group, "round", round))
            {
                break; // the audit says what is missing
            }
        }

        measurement.End(report);
        report.Rounds = _options.Rounds;
        report.Messages = context.Ledger.Sent - from;
    }

    protected virtual Conversation Join(Report report) => context.JoinGroup(report);

    private bool RunRound(Conversation group, string name, int round)
    {
        var devices = context.Ledger.Devices;
        var order = new int[devices.Count];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        _random.Shuffle(order);
        for (var i = 0; i < _options.Messages; i++)
        {
            devices[order[i % order.Length]].Send(group, Stopwatch.GetTimestamp());
        }

        context.Progress.Show(() => $"{name} {round + 1}, {context.Ledger.Delivered:N0} deliveries");
        return context.WaitUntilSettled();
    }
}
