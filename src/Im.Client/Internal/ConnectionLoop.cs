namespace Im.Client.Internal;

/// <summary>Connects again and again until the end is final.</summary>
internal sealed class ConnectionLoop(SessionHost host, Action<Exception?> lost)
{
    private readonly ImClientOptions _options = host.Options;
    private readonly Uri[] _servers = [host.Options.Server, .. host.Options.MoreServers];
    private int _server;

    /// <summary>Runs until a final end or until cancelled.</summary>
    public async Task<SessionEnd> RunAsync(CancellationToken cancellationToken)
    {
        var attempt = 0;
        var delay = TimeSpan.Zero;
        while (true)
        {
            Log.Connecting(host.Logger, _servers[_server], attempt);
            var (end, lived) = await ConnectOnceAsync(cancellationToken).ConfigureAwait(false);
            if (end.Final is not null)
            {
                return end;
            }

            if (end.IsHandOver)
            {
                delay = TimeSpan.Zero;
                continue;
            }

            // After a failed hand-over: nothing goes out at once any more.
            host.Outbox.Detach(handingOver: false);

            // Only a connection that lived longer than the wait before it proves that the trouble is over.
            if (lived > delay && lived >= _options.ReconnectMinDelay)
            {
                attempt = 0;
            }

            delay = end.ReconnectAfter + Backoff.FullJitter(_options.ReconnectMinDelay, _options.ReconnectMaxDelay, attempt++);
            Log.Reconnecting(host.Logger, end.Reason, (long)delay.TotalMilliseconds, end.Error);
            lost(end.Error);

            // Its node may be gone: the next one goes on from the same cursors.
            _server = (_server + 1) % _servers.Length;
            await Task.Delay(delay, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<(SessionEnd End, TimeSpan Lived)> ConnectOnceAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_options.ConnectTimeout, _options.TimeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var token = _options.TokenProvider is null ? "" : await _options.TokenProvider(linked.Token).ConfigureAwait(false) ?? "";
            var stream = await PacketStream.ConnectAsync(_options, _servers[_server], linked.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                var session = new Session(host, stream);
                var end = await session.RunAsync(token, linked.Token, cancellationToken).ConfigureAwait(false);
                return (end, session.SignedInAt is { } at ? _options.TimeProvider.GetElapsedTime(at) : TimeSpan.Zero);
            }
        }
        catch (ImClientException e)
        {
            return (new SessionEnd(e.Message, e, Error: e), TimeSpan.Zero);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever a hook of the application, the resolver, the socket or TLS threw: it may work the next time.
            return (SessionEnd.Lost(limit.IsCancellationRequested ? "No connection within ConnectTimeout." : e.Message, e), TimeSpan.Zero);
        }
    }
}
