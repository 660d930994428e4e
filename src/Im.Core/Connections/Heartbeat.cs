using Im.Administration;
using Im.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Connections;

/// <summary>One walk over all connections at an interval, instead of timers for each: sign-in deadline, idleness, expiry, slow readers.</summary>
internal sealed class Heartbeat(
    ConnectionRegistry registry, RateSampler rates, IOptions<ImServerOptions> options, TimeProvider time, ILogger<Heartbeat> logger) : IServerLoop
{
    public string Name => "heartbeat";

    /// <summary>Beats until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.Value.HeartbeatInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                Beat();
                rates.Tick();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }

    private void Beat()
    {
        foreach (var connection in registry.All)
        {
            try
            {
                connection.Check();
            }
            catch (Exception exception)
            {
                Log.HeartbeatFailed(logger, connection.Id, exception);
            }
        }
    }
}
