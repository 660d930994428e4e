using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Diagnostics;

/// <summary>Logs requests that failed in the store. While it is down every device's next ack fails the same way: one a second is logged, the others are counted with it.</summary>
internal sealed class StoreFailureLog(TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // Both are changed by whichever thread gets there first.
    private long _lastLogged;
    private int _others;

    public void Failed(uint requestId, ClientPacket.PacketOneofCase kind, string connectionId, Exception exception)
    {
        var last = Interlocked.Read(ref _lastLogged);
        var now = Math.Max(time.GetTimestamp(), 1);
        if ((last != 0 && time.GetElapsedTime(last, now) < Pause) || Interlocked.CompareExchange(ref _lastLogged, now, last) != last)
        {
            Interlocked.Increment(ref _others);
            return;
        }

        Log.StoreRequestFailed(logger, requestId, kind, connectionId, Interlocked.Exchange(ref _others, 0), exception);
    }
}
