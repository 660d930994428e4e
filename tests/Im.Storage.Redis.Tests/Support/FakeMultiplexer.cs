using System.Net;
using System.Reflection;
using StackExchange.Redis;

namespace Im.Storage.Redis.Tests.Support;

/// <summary>A library whose connection for subscriptions comes, hangs and goes as a test wants: it notes handlers at once, as the real one does.</summary>
public sealed class FakeMultiplexer
{
    private readonly Lock _lock = new();

    // The lock guards these two.
    private readonly Dictionary<RedisChannel, Action<RedisChannel, RedisValue>?> _handlers = [];
    private readonly Dictionary<RedisChannel, int> _tries = [];

    public FakeMultiplexer()
    {
        Multiplexer = DispatchProxy.Create<IConnectionMultiplexer, Proxy>();
        Subscriber = DispatchProxy.Create<ISubscriber, Proxy>();
        ((Proxy)Multiplexer).Answer = (_, _) => Subscriber;
        ((Proxy)Subscriber).Answer = Answer;
    }

    public IConnectionMultiplexer Multiplexer { get; }

    public ISubscriber Subscriber { get; }

    /// <summary>Whether there is a connection for subscriptions.</summary>
    public bool IsConnected { get; set; } = true;

    /// <summary>The channels whose server is away.</summary>
    public Predicate<RedisChannel> IsAway { get; set; } = _ => false;

    /// <summary>What the server's answer to each subscribing waits for.</summary>
    public Task Answered { get; set; } = Task.CompletedTask;

    /// <summary>What its answer to each unsubscribing waits for.</summary>
    public Task Left { get; set; } = Task.CompletedTask;

    /// <summary>How often each channel was subscribed to.</summary>
    public IReadOnlyDictionary<RedisChannel, int> Tries
    {
        get
        {
            lock (_lock)
            {
                return new Dictionary<RedisChannel, int>(_tries);
            }
        }
    }

    /// <summary>How often each message of a channel is handed over.</summary>
    public int Handlers(RedisChannel channel)
    {
        lock (_lock)
        {
            return _handlers.GetValueOrDefault(channel)?.GetInvocationList().Length ?? 0;
        }
    }

    private object? Answer(string method, object?[] arguments)
    {
        lock (_lock)
        {
            var channel = (RedisChannel)arguments[0]!;
            var noted = _handlers.GetValueOrDefault(channel);
            switch (method)
            {
                case nameof(ISubscriber.SubscribeAsync):
                    _tries[channel] = _tries.GetValueOrDefault(channel) + 1;
                    _handlers[channel] = noted + (Action<RedisChannel, RedisValue>)arguments[1]!;
                    return Answered;
                case nameof(ISubscriber.UnsubscribeAsync):
                    _handlers[channel] = noted - (Action<RedisChannel, RedisValue>)arguments[1]!;
                    return Left;
                case nameof(ISubscriber.SubscribedEndpoint):
                    return IsConnected && noted is not null && !IsAway(channel) ? new IPEndPoint(IPAddress.Loopback, 6379) : null;
                default:
                    throw new NotSupportedException(method);
            }
        }
    }

    /// <summary>For <see cref="DispatchProxy"/>, which derives from it.</summary>
    public class Proxy : DispatchProxy
    {
        internal Func<string, object?[], object?> Answer { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Answer(targetMethod!.Name, args!);
    }
}
