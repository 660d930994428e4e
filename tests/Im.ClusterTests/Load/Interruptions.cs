namespace Im.ClusterTests.Load;

/// <summary>The longest waits while one fault, or none, lasts: from send to ack, and from the ack until a member's device has the message.</summary>
internal sealed class Interruptions
{
    private Window _current = new("none");

    public List<Window> Windows { get; } = [];

    /// <summary>From now on waits count for this one.</summary>
    public Window Begin(string fault)
    {
        var window = new Window(fault);
        Windows.Add(window);
        Volatile.Write(ref _current, window);
        return window;
    }

    public void Received(TimeSpan afterAck) => Raise(ref Volatile.Read(ref _current).DeliveryTicks, afterAck.Ticks);

    public void Acked(TimeSpan afterSend) => Raise(ref Volatile.Read(ref _current).AckTicks, afterSend.Ticks);

    /// <summary>One row for each kind of fault, the longest of all its times.</summary>
    public string Describe()
    {
        var rows = Windows.GroupBy(window => window.Fault).Select(group =>
            $"| {group.Key,-62} | {group.Count(),5} | {Seconds(group.Max(w => w.AckTicks)),13} | {Seconds(group.Max(w => w.DeliveryTicks)),16} | {Seconds(group.Max(w => w.Calm.Ticks)),11} |");
        return $"| {"fault",-62} | times | send→ack max s | ack→device max s | calm after s |\n|---|---|---|---|---|\n{string.Join('\n', rows)}";
    }

    private static string Seconds(long ticks) => $"{ticks / (double)TimeSpan.TicksPerSecond:0.00}";

    private static void Raise(ref long place, long value)
    {
        var seen = Volatile.Read(ref place);
        while (value > seen)
        {
            var before = Interlocked.CompareExchange(ref place, value, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }

    internal sealed class Window(string fault)
    {
        public long DeliveryTicks;
        public long AckTicks;

        public string Fault { get; } = fault;

        /// <summary>How long after it began all were connected and healthy again and nothing was late.</summary>
        public TimeSpan Calm { get; set; }
    }
}
