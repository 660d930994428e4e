using System.Diagnostics;

namespace Im.LoadGenerator.Output;

/// <summary>One line on a terminal that tells where the run is; nothing where standard error is a file.</summary>
internal sealed class Progress
{
    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private long _next;
    private int _length;

    public void Show(Func<string> text)
    {
        var now = Stopwatch.GetTimestamp();
        if (_isTerminal && now >= _next)
        {
            _next = now + (Stopwatch.Frequency / 2);
            var line = text();
            Console.Error.Write("\r" + line.PadRight(_length));
            _length = line.Length;
        }
    }

    public void Clear()
    {
        if (_length > 0)
        {
            Console.Error.Write("\r" + new string(' ', _length) + "\r");
            _length = 0;
        }
    }
}
