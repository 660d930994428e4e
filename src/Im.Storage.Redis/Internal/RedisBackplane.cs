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
    private readonly long _sender = Random.Shared.NextInt64();

    // How many messages were published to each channel; guarded by itself.
    private readonly Dictionary<RedisChannel, long> _numbers = [];
    private ReceiveQueue<ReadOnlyMemory<byte>>? _queue;
    private OrderRestorer<ReadOnlyMemory<byte>>? _order;
    private RedisChannel[] _channels = [];
    private Task _subscribing = Task.CompletedTask;
    private int _stopped;

    public async ValueTask StartAsync(string nodeName, Action<ReadOnlyMemory<byte>> receive, CancellationToken cancellationToken)
    {
        if (_queue is not null)
        {
            throw new InvalidOperationException("The backplane was started already; start it once.");
        }

        var queue = _queue = new ReceiveQueue<ReadOnlyMemory<byte>>("backplane", options.Value.MaxQueuedMessages, receive, metrics, logger);
        _order = new OrderRestorer<ReadOnlyMemory<byte>>(queue.Add, options.Value.ReorderWait, time);
        _channels = [keys.Node(nodeName), keys.AllNodes];
        if (!await TrySubscribeAsync(cancellationToken).ConfigureAwait(false))
        {
            _subscribing = SubscribeLaterAsync();
        }
    }

    public async ValueTask PublishAsync(string nodeName, ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        await SendAsync(keys.Node(nodeName), message, cancellationToken).ConfigureAwait(false);

    public async ValueTask PublishToAllAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken) =>
        await SendAsync(keys.AllNodes, message, cancellationToken).ConfigureAwait(false);

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
                await redis.UnsubscribeAsync("unsubscribe", channel, cancellationToken).ConfigureAwait(false);
            }
            catch (ImClusterException)
            {
                // A Redis that is away sends nothing either; the connection goes soon.
            }
        }

        _order?.Dispose();
        if (_queue is { } queue)
        {
            await queue.StopAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => StopAsync(CancellationToken.None);

    public void Dispose()
    {
        _stop.Cancel();
        _order?.Dispose();
        _ = _queue?.StopAsync();
    }

    // One that is not handed over leaves a hole, which the receivers wait for once.
    private Task SendAsync(RedisChannel channel, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        long number;
        lock (_numbers)
        {
            number = _numbers[channel] = _numbers.GetValueOrDefault(channel) + 1;
        }

        return redis.PublishAsync("publish", channel, BackplaneMessage.Write(_sender, number, message.Span), cancellationToken);
    }

    private void Receive(RedisChannel channel, RedisValue value)
    {
        if (BackplaneMessage.TryRead((byte[])value!, out var sender, out var number, out var message))
        {
            _order!.Add($"{channel}/{sender}", "", number, 1, message);
        }
        else
        {
            Log.DamagedMessage(logger, channel.ToString());
        }
    }

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
