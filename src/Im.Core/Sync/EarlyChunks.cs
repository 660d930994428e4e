using System.Threading.Channels;
using Im.Cluster;
using Im.Connections;
using Im.Timelines;
using Microsoft.Extensions.Options;

namespace Im.Sync;

/// <summary>Chunks that arrived before the one in front of them, from another node, and wait a moment for it.</summary>
/// <remarks>All wait equally long, so they run out in the order in which they came: one loop looks at the oldest.</remarks>
internal sealed class EarlyChunks(IOptions<ImClusterOptions> options, TimeProvider time)
{
    private const int MaxWaiting = 10_000;

    private readonly TimeSpan _wait = options.Value.EarlyChunkWait;
    private readonly Channel<(Session Session, TimelineKey Timeline, long First, long Since)> _waiting =
        Channel.CreateBounded<(Session, TimelineKey, long, long)>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });

    /// <summary>The session holds a chunk. False: too many wait already.</summary>
    public bool TryWait(Session session, TimelineKey timeline, long first) =>
        _wait > TimeSpan.Zero && _waiting.Writer.TryWrite((session, timeline, first, time.GetTimestamp()));

    /// <summary>Ends waits until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var (session, timeline, first, since) in _waiting.Reader.ReadAllAsync(cancellationToken))
            {
                var left = _wait - time.GetElapsedTime(since);
                if (left > TimeSpan.Zero)
                {
                    await Task.Delay(left, time, cancellationToken);
                }

                session.EndWait(timeline, first);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }
}
