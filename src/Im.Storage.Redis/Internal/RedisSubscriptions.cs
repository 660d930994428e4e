using System.Collections.Concurrent;
using Im.Cluster;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>What this node is subscribed to, and subscribing so that it holds.</summary>
/// <remarks>
/// The library keeps subscriptions over most lost connections, but not over all: one that was asked for, or whose server was given up, while there was no
/// connection for subscriptions may be forgotten for ever, and nobody is told. So what was once subscribed to is looked at again and again.
/// </remarks>
internal sealed class RedisSubscriptions(TimeSpan patience, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<RedisChannel, Action<RedisChannel, RedisValue>> _handlers = new();

    /// <summary>Subscribes; when it ends, Redis has been told.</summary>
    public static async Task<bool> SubscribeAsync(
        ISubscriber subscriber, RedisChannel channel, Action<RedisChannel, RedisValue> receive, TimeSpan patience, TimeProvider time)
    {
        // The library has connected when commands work; the connection for subscriptions may come a moment later, and nobody would hear of it.
        var started = time.GetTimestamp();
        while (true)
        {
            await subscriber.SubscribeAsync(channel, receive).ConfigureAwait(false);
            if (subscriber.SubscribedEndpoint(channel) is not null)
            {
                return true;
            }

            if (time.GetElapsedTime(started) > patience)
            {
                throw new ImClusterException("Redis has no connection for subscriptions now.");
            }

            await subscriber.UnsubscribeAsync(channel, receive).ConfigureAwait(false);
            await Task.Delay(Poll, time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>It was subscribed to, and is from now on kept so.</summary>
    public void Add(RedisChannel channel, Action<RedisChannel, RedisValue> receive) => _handlers[channel] = receive;

    public void Remove(RedisChannel channel) => _handlers.TryRemove(channel, out _);

    /// <summary>Subscribes to what the multiplexer does not know, or knows no more. What fails is left to the next time.</summary>
    public async Task RestoreAsync(IConnectionMultiplexer multiplexer)
    {
        try
        {
            var subscriber = multiplexer.GetSubscriber();
            var restoring = _handlers.Where(pair => subscriber.SubscribedEndpoint(pair.Key) is null)
                .Select(pair => TryRestoreAsync(subscriber, pair.Key, pair.Value)).ToArray();
            var restored = (await Task.WhenAll(restoring).ConfigureAwait(false)).Count(isRestored => isRestored);
            if (restored > 0)
            {
                Log.Resubscribed(logger, restored);
            }
        }
        catch (Exception)
        {
            // It was just replaced by another one; the next time is soon.
        }
    }

    private async Task<bool> TryRestoreAsync(ISubscriber subscriber, RedisChannel channel, Action<RedisChannel, RedisValue> receive)
    {
        try
        {
            // The library may have noted the handler, and would call it twice.
            await subscriber.UnsubscribeAsync(channel, receive).WaitAsync(patience, time).ConfigureAwait(false);
            await SubscribeAsync(subscriber, channel, receive, patience, time).WaitAsync(patience * 2, time).ConfigureAwait(false);
            if (!_handlers.ContainsKey(channel))
            {
                // It was given up meanwhile.
                await subscriber.UnsubscribeAsync(channel, receive).WaitAsync(patience, time).ConfigureAwait(false);
            }

            return true;
        }
        catch (Exception)
        {
            // There is no connection for subscriptions yet, or none any more: the next time is soon.
            return false;
        }
    }
}
