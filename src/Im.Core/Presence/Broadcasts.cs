using System.Threading.Channels;
using Im.Cluster;
using Im.Connections;
using Im.Diagnostics;
using Im.Protocol;
using Microsoft.Extensions.Options;

namespace Im.Presence;

/// <summary>Hands signals for everybody to this node's sessions: one signal after the other, a few sessions at a time, so that nothing else waits.</summary>
internal sealed class Broadcasts(SessionRegistry sessions, ImMetrics metrics, IOptions<ImPresenceOptions> options)
{
    private const int Bite = 200;

    private readonly Channel<SharedPacket> _queue = Channel.CreateBounded<SharedPacket>(
        new BoundedChannelOptions(options.Value.MaxQueuedBroadcasts) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    /// <summary>Takes a signal for all sessions. Returns at once; one too many is dropped.</summary>
    public void Add(SharedPacket signal)
    {
        if (!_queue.Writer.TryWrite(signal))
        {
            metrics.SignalDropped();
        }
    }

    /// <summary>Hands them out until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var signal in _queue.Reader.ReadAllAsync(cancellationToken))
            {
                var done = 0;
                foreach (var session in sessions.All)
                {
                    if (!session.TrySignal(signal.Get(session.Connection.Outbox.Codec)))
                    {
                        metrics.SignalDropped();
                    }

                    if (++done % Bite == 0)
                    {
                        cancellationToken.ThrowIfCancellationRequested();
                        await Task.Yield();
                    }
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }
}
