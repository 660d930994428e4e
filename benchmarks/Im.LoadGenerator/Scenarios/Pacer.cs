using System.Diagnostics;
using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Clients;

namespace Im.LoadGenerator.Scenarios;

/// <summary>
/// Sends at a fixed rate whatever the server does. A message's latency counts from when it was due, so a server that stalls is charged for what
/// it held up.
/// </summary>
internal sealed class Pacer(Context context, Conversation conversation)
{
    private readonly long _interval = (long)(Stopwatch.Frequency / context.Options.Rate);
    private readonly int[] _senders = Shuffle(context);
    private int _nextSender;

    /// <summary>Runs for a while, and leaves the last messages on their way.</summary>
    public void Run(TimeSpan time, string name)
    {
        var start = Stopwatch.GetTimestamp();
        var end = start + (long)(time.TotalSeconds * Stopwatch.Frequency);
        var due = start;
        context.Loop.DoDue = () =>
        {
            for (; due <= Stopwatch.GetTimestamp() && due < end; due += _interval)
            {
                NextSender().Send(conversation, due);
            }

            return Math.Min(due, end);
        };
        context.World.Ticked = () => context.Progress.Show(
            () => $"{name}: {context.Ledger.Sent:N0} messages, {context.Ledger.Delivered:N0} deliveries, {context.Ledger.Expected - context.Ledger.Delivered:N0} on their way");
        context.Loop.RunFor(time);
        context.Loop.DoDue = null;
    }

    private Device NextSender()
    {
        while (true)
        {
            var device = context.Ledger.Devices[_senders[_nextSender++ % _senders.Length]];
            if (device.IsReading)
            {
                return device;
            }
        }
    }

    private static int[] Shuffle(Context context)
    {
        var senders = new int[context.Ledger.Devices.Count];
        for (var i = 0; i < senders.Length; i++)
        {
            senders[i] = i;
        }

        new Random(context.Options.Seed).Shuffle(senders);
        return senders;
    }
}
