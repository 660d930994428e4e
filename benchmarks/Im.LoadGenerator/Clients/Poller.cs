using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Im.LoadGenerator.Clients;

/// <summary>What the poller tells about one file.</summary>
internal interface IPolled
{
    void OnReady(uint events);
}

/// <summary>One epoll and one timer. Everything runs on the thread that calls <see cref="Wait"/>; there are no locks.</summary>
internal sealed unsafe class Poller : IDisposable
{
    private const int MaxEvents = 1024;

    // struct epoll_event is packed on x86-64 only.
    private static readonly int EventBytes = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventBytes - 8;

    private readonly int _epoll = Libc.EpollCreate(Libc.CloseOnExec);
    private readonly int _timer = Libc.TimerCreate(Libc.MonotonicClock, Libc.NonBlocking | Libc.CloseOnExec);
    private readonly byte* _events = (byte*)NativeMemory.AllocZeroed((nuint)(MaxEvents * EventBytes));
    private IPolled?[] _files = new IPolled?[1024];

    public Poller()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("The load generator runs on Linux; the server that it measures with --server may run anywhere.");
        }

        Control(Libc.ControlAdd, _timer, Libc.PollIn);
    }

    public void Add(int file, IPolled polled, uint events)
    {
        if (file >= _files.Length)
        {
            Array.Resize(ref _files, Math.Max(file + 1, _files.Length * 2));
        }

        _files[file] = polled;
        Control(Libc.ControlAdd, file, events);
    }

    public void Change(int file, uint events) => Control(Libc.ControlModify, file, events);

    public void Remove(int file)
    {
        _files[file] = null;
        Control(Libc.ControlDelete, file, 0);
    }

    /// <summary>Wakes <see cref="Wait"/> at a time of <see cref="Stopwatch"/>, to the microsecond rather than to epoll's millisecond.</summary>
    public void WakeAt(long timestamp)
    {
        var nanoseconds = Math.Max(1, (long)((timestamp - Stopwatch.GetTimestamp()) * (1e9 / Stopwatch.Frequency)));
        var value = stackalloc long[4] { 0, 0, nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000 };
        Libc.TimerSet(_timer, 0, value, null);
    }

    /// <summary>Waits for events and handles them.</summary>
    public void Wait(int timeoutMs)
    {
        var count = Libc.EpollWait(_epoll, _events, MaxEvents, timeoutMs);
        for (var i = 0; i < count; i++)
        {
            var at = _events + (i * EventBytes);
            var file = (int)Unsafe.ReadUnaligned<long>(at + DataOffset);
            if (file == _timer)
            {
                long expirations;
                Libc.Read(_timer, (byte*)&expirations, sizeof(long));
            }
            else
            {
                _files[file]?.OnReady(Unsafe.ReadUnaligned<uint>(at));
            }
        }
    }

    public void Dispose()
    {
        Libc.Close(_timer);
        Libc.Close(_epoll);
        NativeMemory.Free(_events);
    }

    private void Control(int operation, int file, uint events)
    {
        var change = stackalloc byte[16];
        Unsafe.WriteUnaligned(change, events);
        Unsafe.WriteUnaligned(change + DataOffset, (long)file);
        if (Libc.EpollControl(_epoll, operation, file, change) < 0)
        {
            throw new IOException($"epoll_ctl failed with errno {Libc.Error}.");
        }
    }
}
