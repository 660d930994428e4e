using System.Collections.Concurrent;
using Im.Cluster;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>What this node is subscribed to, and subscribing so that it holds.</summary>
/// <remarks>
/// <para>The library keeps subscriptions over most lost connections, but not over all: one that was asked for, or whose server was given up, while there
/// was no connection for subscriptions may be forgotten for ever, and nobody is told. So what was once subscribed to is looked at again and again.</para>
/// <para>Each subscription has a handler of its own, equal to no other: taking back one that was given up never takes away the next one of that
/// channel.</para>
/// </remarks>
internal sealed class RedisSubscriptions(TimeSpan patience, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<RedisChannel, Action<RedisChannel, RedisValue>> _handlers = new();

    /// <summary>Subscribes; when it ends, Redis has been told. Where it fails or is ended, the library knows nothing of it any more.</summary>
    public static async Task<bool> SubscribeAsync(
        ISubscriber subscriber,
        RedisChannel channel,
        Action<RedisChannel, RedisValue> handler,
        TimeSpan patience,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        // The library has connected when commands work; the connection for subscriptions may come a moment later, and nobody would hear of it.
        var started = time.GetTimestamp();
        var holds = false;
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await UntilAsync(subscriber.SubscribeAsync(channel, handler), cancellationToken).ConfigureAwait(false);
                // Whoever gave up has taken it back perhaps before it was there.
                cancellationToken.ThrowIfCancellationRequested();
                if (subscriber.SubscribedEndpoint(channel) is not null)
                {
                    return holds = true;
                }

                if (time.GetElapsedTime(started) >= patience)
                {
                    throw new ImClusterException("Redis has no connection for subscriptions now.");
                }

                await UntilAsync(subscriber.UnsubscribeAsync(channel, handler), cancellationToken).ConfigureAwait(false);
                await Task.Delay(Poll, time, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            if (!holds)
            {
                Abandon(subscriber, channel, handler);
            }
        }
    }

    /// <summary>The library forgets the handler at once; what it sends for that is not waited for.</summary>
    public static void Abandon(ISubscriber subscriber, RedisChannel channel, Action<RedisChannel, RedisValue> handler)
    {
        try
        {
            Forget(subscriber.UnsubscribeAsync(channel, handler));
        }
        catch (Exception exception) when (exception is RedisException or ObjectDisposedException)
        {
            // It is away, or we are at the end.
        }
    }

    /// <summary>Nobody waits for it any more: its failure is nobody's.</summary>
    public static void Forget(Task task) =>
        _ = task.ContinueWith(static late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    /// <summary>It was subscribed to, and is from now on kept so.</summary>
    public void Add(RedisChannel channel, Action<RedisChannel, RedisValue> handler) => _handlers[channel] = handler;

    /// <summary>It is no longer kept. Whoever gets its handler takes that back; null = it was not subscribed to.</summary>
    public Action<RedisChannel, RedisValue>? Remove(RedisChannel channel) => _handlers.TryRemove(channel, out var handler) ? handler : null;

    /// <summary>Subscribes to what the multiplexer does not know, or knows no more. What fails is left to the next time.</summary>
    public async Task RestoreAsync(IConnectionMultiplexer multiplexer, CancellationToken stopping)
    {
        try
        {
            var subscriber = multiplexer.GetSubscriber();
            var lost = _handlers.Where(pair => subscriber.SubscribedEndpoint(pair.Key) is null).ToArray();
            if (lost.Length == 0)
            {
                return;
            }

            // One waits for the connection on behalf of all: thousands that try again and again would keep the library's lock. Any one: in a cluster its
            // own server may be away.
            Random.Shared.Shuffle(lost);
            if (!await TryRestoreAsync(subscriber, lost[0], patience, stopping).ConfigureAwait(false))
            {
                return;
            }

            var others = lost.Skip(1).Select(pair => TryRestoreAsync(subscriber, pair, TimeSpan.Zero, stopping)).ToArray();
            var restored = 1 + (await Task.WhenAll(others).ConfigureAwait(false)).Count(isRestored => isRestored);
            Log.Resubscribed(logger, restored);
        }
        catch (Exception)
        {
            // It was just replaced by another one; the next time is soon.
        }
    }

    private async Task<bool> TryRestoreAsync(
        ISubscriber subscriber, KeyValuePair<RedisChannel, Action<RedisChannel, RedisValue>> lost, TimeSpan tryFor, CancellationToken stopping)
    {
        var (channel, handler) = lost;
        using var limit = new CancellationTokenSource(patience * 2, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, limit.Token);
        try
        {
            // The library may have noted the handler, and would call it twice.
            await UntilAsync(subscriber.UnsubscribeAsync(channel, handler), end.Token).ConfigureAwait(false);
            await SubscribeAsync(subscriber, channel, handler, tryFor, time, end.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception)
        {
            // There is no connection for subscriptions yet, or none any more: the next time is soon.
            return false;
        }
        finally
        {
            if (!_handlers.TryGetValue(channel, out var kept) || kept != handler)
            {
                // It was given up meanwhile, and who did that may have come before the library had it.
                Abandon(subscriber, channel, handler);
            }
        }
    }

    private static async Task UntilAsync(Task task, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (!task.IsCompleted)
            {
                Forget(task);
            }
        }
    }
}
