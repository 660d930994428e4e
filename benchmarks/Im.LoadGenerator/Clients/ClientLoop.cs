using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Im.LoadGenerator.Clients;

/// <summary>The one thread on which all clients live: waits for sockets, reads them into one buffer, and looks at the clock.</summary>
internal sealed unsafe class ClientLoop : IDisposable
{
    /// <summary>What one read takes at most: more would leave the processor's cache before it is parsed.</summary>
    public const int ReadBytes = 256 * 1024;

    /// <summary>The largest packet of a server that is read as a whole.</summary>
    public const int MaxPacketBytes = 16 * 1024 * 1024;

    private static readonly long TickEvery = Stopwatch.Frequency / 50;

    private long _nextTick;
    private long _lastProgress;
    private bool _isRunning;

    public Poller Poller { get; } = new();

    /// <summary>Where bytes are read to and parsed, one connection after the other; pages that are never used cost nothing.</summary>
    public byte* Buffer { get; } = (byte*)NativeMemory.Alloc(MaxPacketBytes + ReadBytes);

    /// <summary>When the bytes that are being handled were read.</summary>
    public long Now { get; private set; } = Stopwatch.GetTimestamp();

    /// <summary>Every 20 milliseconds, after what is ready was handled.</summary>
    public Action? Ticked { get; set; }

    /// <summary>Asked at every turn for the next time at which something is to be done; it does what is due.</summary>
    public Func<long>? DoDue { get; set; }

    public void Progress() => _lastProgress = Now;

    public void ReadClock() => Now = Stopwatch.GetTimestamp();

    /// <summary>Runs until something is so. False: for that long no client received anything.</summary>
    public bool RunUntil(Func<bool> done, TimeSpan patience)
    {
        var stall = (long)(patience.TotalSeconds * Stopwatch.Frequency);
        ReadClock();
        Progress();
        while (!done())
        {
            Turn();
            if (Now - _lastProgress > stall)
            {
                return done();
            }
        }

        return true;
    }

    /// <summary>Runs for a while, whatever happens.</summary>
    public void RunFor(TimeSpan time)
    {
        var end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        ReadClock();
        while (Now < end)
        {
            Turn();
        }
    }

    public void Dispose()
    {
        Poller.Dispose();
        NativeMemory.Free(Buffer);
    }

    private void Turn()
    {
        if (_isRunning)
        {
            throw new InvalidOperationException("The loop runs already: a client's handler must not wait.");
        }

        _isRunning = true;
        if (DoDue is not null)
        {
            Poller.WakeAt(DoDue());
        }

        Poller.Wait(5);
        ReadClock();
        if (Now >= _nextTick)
        {
            _nextTick = Now + TickEvery;
            Ticked?.Invoke();
        }

        _isRunning = false;
    }
}
