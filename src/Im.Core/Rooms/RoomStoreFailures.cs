using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Rooms;

/// <summary>Turns failures of the store of rooms into what a client is told. While it is down one a second is logged, the others are counted with it.</summary>
internal sealed class RoomStoreFailures(TimeProvider time, RoomMetrics metrics, ILogger<RoomStoreFailures> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // Both are changed by whichever thread gets there first.
    private long _lastLogged;
    private int _others;

    public ImException Report(string operation, string roomId, Cluster.ImClusterException exception)
    {
        metrics.Failed(operation);
        var last = Interlocked.Read(ref _lastLogged);
        var now = Math.Max(time.GetTimestamp(), 1);
        if ((last != 0 && time.GetElapsedTime(last, now) < Pause) || Interlocked.CompareExchange(ref _lastLogged, now, last) != last)
        {
            Interlocked.Increment(ref _others);
        }
        else
        {
            RoomLog.StoreFailed(logger, operation, roomId, Interlocked.Exchange(ref _others, 0), exception);
        }

        return new ImException(ImErrorCode.ClusterUnavailable, "Rooms cannot be reached now; try again.", exception);
    }
}
