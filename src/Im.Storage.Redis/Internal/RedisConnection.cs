using Im.Cluster;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>The one way to Redis: owns the multiplexer, limits what an operation may take, and turns every failure into an <see cref="ImClusterException"/>.</summary>
/// <remarks>
/// <para>A multiplexer has two sockets, one for commands and one for subscriptions, and reconnects both by itself where the network says that they are
/// lost. Where it does not, as when a machine lost its power, version 1.2.6 waits for minutes: one of our own that says it is connected and answers
/// nothing for long is replaced by a new one. <see cref="RedisSubscriptions"/> sees to it that the subscriptions follow.</para>
/// <para>Nothing here blocks a thread. What was given up after its timeout may still be done by a Redis that was frozen: everything sent compares before
/// it changes, or only adds a hint.</para>
/// </remarks>
internal sealed class RedisConnection : IAsyncDisposable, IDisposable
{
    private readonly MultiplexerSource _source;
    private readonly TimeProvider _time;
    private readonly RedisMetrics _metrics;
    private readonly ILogger _logger;
    private readonly TimeSpan _timeout;
    private readonly TimeSpan _interval;
    private readonly RedisCircuit _circuit;
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeSpan _reconnectAfter;
    private readonly RedisSubscriptions _subscriptions;
    private readonly Task _keeping;

    // Replaced by the loop of probes alone, which also owns the two below.
    private volatile Lazy<Task<IConnectionMultiplexer>> _connecting;
    private long? _silentSince;
    private int _replacements;
    private int _disposed;

    public RedisConnection(
        MultiplexerSource source, IOptions<ImRedisOptions> options, TimeProvider time, RedisMetrics metrics, ILogger<RedisConnection> logger)
    {
        _source = source;
        _time = time;
        _metrics = metrics;
        _logger = logger;
        _timeout = options.Value.OperationTimeout;
        _interval = options.Value.ProbeInterval;
        _reconnectAfter = options.Value.ReconnectAfter;
        _connecting = new Lazy<Task<IConnectionMultiplexer>>(ConnectAsync);
        _circuit = new RedisCircuit(ProbeAsync, _interval, time, metrics, logger);
        _subscriptions = new RedisSubscriptions(_timeout / 2, time, logger);
        _keeping = KeepSubscriptionsAsync();
    }

    /// <summary>Whether operations are tried at all now.</summary>
    public bool IsAvailable => _circuit.Cause is null;

    public TimeSpan RetryInterval => _interval;

    /// <summary>How often a connection that answered nothing was replaced.</summary>
    public int Replacements => Volatile.Read(ref _replacements);

    /// <summary>Runs a script whose keys have one hash tag.</summary>
    public async Task<RedisResult> EvaluateAsync(RedisScript script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
    {
        try
        {
            return await EvaluateOnceAsync(script, keys, values, cancellationToken).ConfigureAwait(false);
        }
        catch (ImClusterException exception) when (exception.InnerException is RedisServerException { Message: var message }
            && message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            // Redis was restarted, or somebody flushed its scripts; the library has noticed and sends the text now.
            return await EvaluateOnceAsync(script, keys, values, cancellationToken).ConfigureAwait(false);
        }
    }

    public Task PublishAsync(string operation, RedisChannel channel, RedisValue message, CancellationToken cancellationToken) => RunAsync(
        operation, multiplexer => multiplexer.GetSubscriber().PublishAsync(channel, message), cancellationToken);

    /// <summary>Subscribes; when it ends, everything that is published from then on is received, and again after each reconnection.</summary>
    public async Task SubscribeAsync(
        string operation, RedisChannel channel, Action<RedisChannel, RedisValue> receive, CancellationToken cancellationToken)
    {
        // Equal to no other, however often the same one is handed in.
        Action<RedisChannel, RedisValue> handler = (from, value) => receive(from, value);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await RunAsync(
                operation,
                multiplexer => RedisSubscriptions.SubscribeAsync(multiplexer.GetSubscriber(), channel, handler, _timeout / 2, _time, end.Token),
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // First the end, or it would subscribe once more after it was taken back.
            await end.CancelAsync().ConfigureAwait(false);
            await AbandonAsync(channel, handler).ConfigureAwait(false);
            throw;
        }

        if (_subscriptions.Remove(channel) is { } replaced)
        {
            await AbandonAsync(channel, replaced).ConfigureAwait(false);
        }

        _subscriptions.Add(channel, handler);
    }

    /// <summary>Ends what was subscribed to last; nothing where there is none.</summary>
    public async Task UnsubscribeAsync(string operation, RedisChannel channel, CancellationToken cancellationToken)
    {
        if (_subscriptions.Remove(channel) is not { } handler)
        {
            return;
        }

        try
        {
            await RunAsync(
                operation,
                async multiplexer =>
                {
                    await multiplexer.GetSubscriber().UnsubscribeAsync(channel, handler).ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception)
        {
            await AbandonAsync(channel, handler).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Runs one operation within the time limit.</summary>
    public async Task<T> RunAsync<T>(string operation, Func<IConnectionMultiplexer, Task<T>> run, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_circuit.Cause is { } cause)
        {
            _metrics.Failed(operation, "circuit");
            throw new ImClusterException($"Redis does not answer ({operation} was not tried): {cause.Message}", cause);
        }

        try
        {
            var multiplexer = await WithinLimitAsync(_connecting.Value, cancellationToken).ConfigureAwait(false);
            return await WithinLimitAsync(run(multiplexer), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (ImClusterException)
        {
            _metrics.Failed(operation, "connection");
            throw;
        }
        catch (RedisServerException exception)
        {
            // It has answered.
            _metrics.Failed(operation, "refused");
            throw new ImClusterException($"Redis refused {operation}: {exception.Message}", exception);
        }
        catch (Exception exception)
        {
            _metrics.Failed(operation, exception is TimeoutException ? "timeout" : "connection");
            _circuit.Open(operation, exception);
            throw new ImClusterException($"Redis could not do {operation}: {exception.Message}", exception);
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _stop.Cancel();
            _ = _circuit.StopAsync();
            _ = ReleaseAsync(_connecting);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _circuit.StopAsync().ConfigureAwait(false);
            await _keeping.ConfigureAwait(false);
            // Not awaited: a library that is connecting to a frozen Redis takes its time.
            _ = ReleaseAsync(_connecting);
        }
    }

    private Task<RedisResult> EvaluateOnceAsync(RedisScript script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken) =>
        RunAsync(script.Name, multiplexer => multiplexer.GetDatabase().ScriptEvaluateAsync(script.Text, keys, values), cancellationToken);

    // Where there is no connection yet, nothing knows the handler.
    private async Task AbandonAsync(RedisChannel channel, Action<RedisChannel, RedisValue> handler)
    {
        if (_connecting is not { IsValueCreated: true, Value: { IsCompletedSuccessfully: true } connected })
        {
            return;
        }

        try
        {
            RedisSubscriptions.Abandon((await connected.ConfigureAwait(false)).GetSubscriber(), channel, handler);
        }
        catch (ObjectDisposedException)
        {
            // It was replaced, or we are at the end.
        }
    }

    private async Task ProbeAsync(CancellationToken cancellationToken)
    {
        var connecting = _connecting;
        var multiplexer = await WithinLimitAsync(connecting.Value, cancellationToken).ConfigureAwait(false);
        try
        {
            await WithinLimitAsync(multiplexer.GetDatabase().PingAsync(), cancellationToken).ConfigureAwait(false);
            _silentSince = null;
        }
        catch (TimeoutException) when (multiplexer.IsConnected && _source.IsOurs)
        {
            _silentSince ??= _time.GetTimestamp();
            if (_time.GetElapsedTime(_silentSince.Value) >= _reconnectAfter)
            {
                _silentSince = null;
                Interlocked.Increment(ref _replacements);
                _connecting = new Lazy<Task<IConnectionMultiplexer>>(ConnectAsync);
                Log.Replaced(_logger, _reconnectAfter);
                _ = ReleaseAsync(connecting);
            }

            throw;
        }
    }

    private async Task<T> WithinLimitAsync<T>(Task<T> task, CancellationToken cancellationToken)
    {
        try
        {
            return await task.WaitAsync(_timeout, _time, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (!task.IsCompleted)
            {
                RedisSubscriptions.Forget(task);
            }
        }
    }

    private async Task<IConnectionMultiplexer> ConnectAsync()
    {
        await Task.Yield();
        while (true)
        {
            _stop.Token.ThrowIfCancellationRequested();
            try
            {
                return await _source.ConnectAsync().ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Log.ConnectFailed(_logger, _interval, exception);
            }

            await Task.Delay(_interval, _time, _stop.Token).ConfigureAwait(false);
        }
    }

    private async Task KeepSubscriptionsAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(_interval, _time, _stop.Token).ConfigureAwait(false);
                if (IsAvailable && _connecting is { IsValueCreated: true, Value: { IsCompletedSuccessfully: true } connected })
                {
                    await _subscriptions.RestoreAsync(await connected.ConfigureAwait(false), _stop.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    // One that is still connecting is released when it has.
    private async Task ReleaseAsync(Lazy<Task<IConnectionMultiplexer>> connecting)
    {
        if (!connecting.IsValueCreated)
        {
            return;
        }

        try
        {
            _source.Release(await connecting.Value.ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // It never connected.
        }
    }
}
