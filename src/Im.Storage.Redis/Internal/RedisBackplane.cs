using Im.Cluster;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>A channel for each node and one for all. What is published while a node is not subscribed is lost to it, as the contract allows.</summary>
internal sealed class RedisBackplane(
    RedisConnection redis, RedisKeys keys, IOptions<ImRedisOptions> options, TimeProvider time, RedisMetrics metrics, ILogger<RedisBackplane> logger)
    : IBackplane, IAsyncDisposable, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private ReceiveQueue<byte[]>? _queue;
    private RedisChannel[] _channels = [];
    private Task _subscribing = Task.CompletedTask;
    private int _stopped;

    public async ValueTask StartAsync(string nodeName, Action<ReadOnlyMemory<byte>> receive, CancellationToken cancellationToken)
    {
        if (_queue is not null)
        {
            throw new InvalidOperationException("The backplane was started already; start it once.");
        }

        _queue = new ReceiveQueue<byte[]>("backplane", options.Value.MaxQueuedMessages, message => receive(message), metrics, logger);
        _channels = [keys.Node(nodeName), keys.AllNodes];
        if (!await TrySubscribeAsync(cancellationToken).ConfigureAwait(false))
        {
            _subscribing = SubscribeLaterAsync();
        }
    }

    public async ValueTask PublishAsync(string nodeName, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        await redis.PublishAsync("publish", keys.Node(nodeName), message.ToArray(), cancellationToken).ConfigureAwait(false);

    public async ValueTask PublishToAllAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        await redis.PublishAsync("publish", keys.AllNodes, message.ToArray(), cancellationToken).ConfigureAwait(false);

    public async ValueTask StopAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _subscribing.ConfigureAwait(false);
        foreach (var channel in _channels)
        {
            try
            {
                await redis.UnsubscribeAsync("unsubscribe", channel, Receive, cancellationToken).ConfigureAwait(false);
            }
            catch (ImClusterException)
            {
                // A Redis that is away sends nothing either; the connection goes soon.
            }
        }

        if (_queue is { } queue)
        {
            await queue.StopAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => StopAsync(CancellationToken.None);

    public void Dispose()
    {
        _stop.Cancel();
        _ = _queue?.StopAsync();
    }

    private void Receive(RedisChannel channel, RedisValue message) => _queue!.Add((byte[])message!);

    // The library keeps what was subscribed to over lost connections. What failed is taken back first, so that no message is received twice.
    private async Task<bool> TrySubscribeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(_channels.Select(channel => redis.SubscribeAsync("subscribe", channel, Receive, cancellationToken))).ConfigureAwait(false);
            return true;
        }
        catch (ImClusterException exception)
        {
            Log.SubscribeFailed(logger, redis.RetryInterval, exception);
            return false;
        }
    }

    private async Task SubscribeLaterAsync()
    {
        try
        {
            do
            {
                await Task.Delay(redis.RetryInterval, time, _stop.Token).ConfigureAwait(false);
            }
            while (!redis.IsAvailable || !await TrySubscribeAsync(_stop.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }
}
