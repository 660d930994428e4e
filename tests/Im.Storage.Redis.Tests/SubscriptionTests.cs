using Im.Storage.Redis.Internal;
using Im.Storage.Redis.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Im.Storage.Redis.Tests;

/// <summary>Making lost subscriptions again costs a struggling connection little, and leaves nothing behind.</summary>
public sealed class SubscriptionTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);
    private static readonly RedisChannel Lobby = Channel("lobby");

    private readonly FakeMultiplexer _redis = new();
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task WithoutAConnectionForSubscriptionsOneChannelIsTriedForAll()
    {
        var subscriptions = Keeping(Short, [.. Enumerable.Range(0, 1_000).Select(i => Channel($"room{i}"))]);
        _redis.IsConnected = false;
        await subscriptions.RestoreAsync(_redis.Multiplexer, default).WaitAsync(Limit);
        Assert.Single(_redis.Tries);
        Assert.Equal(0, _redis.Handlers(_redis.Tries.Keys.Single()));

        _redis.IsConnected = true;
        await subscriptions.RestoreAsync(_redis.Multiplexer, default).WaitAsync(Limit);
        Assert.Equal(1_000, _redis.Tries.Count);
        Assert.All(_redis.Tries.Keys, channel => Assert.Equal(1, _redis.Handlers(channel)));
    }

    [Fact]
    public async Task OneChannelThatCannotBeMadeAgainDoesNotKeepTheOthersForEver()
    {
        // As in a cluster, where the server of one channel is away: sooner or later another one goes first.
        var subscriptions = Keeping(Short / 10, Lobby, Channel("a"), Channel("b"), Channel("c"));
        _redis.IsAway = channel => channel == Lobby;
        await Poll.UntilAsync(
            async () =>
            {
                await subscriptions.RestoreAsync(_redis.Multiplexer, default).WaitAsync(Limit);
                return _redis.Handlers(Channel("a")) == 1;
            },
            "the others are made again");
        Assert.Equal(0, _redis.Handlers(Lobby));
    }

    [Fact]
    public async Task WhatTookTooLongDoesNotGoOnBesideTheNextTry()
    {
        var subscriptions = Keeping(Short, Lobby);
        _redis.Answered = _answer.Task;
        await subscriptions.RestoreAsync(_redis.Multiplexer, default).WaitAsync(Limit);
        Assert.Equal(0, _redis.Handlers(Lobby));

        _redis.Answered = Task.CompletedTask;
        await subscriptions.RestoreAsync(_redis.Multiplexer, default).WaitAsync(Limit);
        Assert.Equal(1, _redis.Handlers(Lobby));
        _answer.SetResult();
        Assert.Equal(2, _redis.Tries[Lobby]);
        Assert.Equal(1, _redis.Handlers(Lobby));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AChannelThatIsLeftWhileItIsMadeAgainStaysLeft(bool answers)
    {
        var subscriptions = Keeping(answers ? Long : Short, Lobby);
        _redis.Answered = _answer.Task;
        var restoring = subscriptions.RestoreAsync(_redis.Multiplexer, default);
        Assert.NotNull(subscriptions.Remove(Lobby));
        if (answers)
        {
            _answer.SetResult();
        }

        await restoring.WaitAsync(Limit);
        Assert.Equal(0, _redis.Handlers(Lobby));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AChannelThatIsLeftAndJoinedWhileItIsMadeAgainIsReceivedOnce(bool wasNoted)
    {
        var subscriptions = Keeping(Long, Lobby);
        _redis.Answered = wasNoted ? _answer.Task : Task.CompletedTask;
        _redis.Left = wasNoted ? Task.CompletedTask : _answer.Task;
        var restoring = subscriptions.RestoreAsync(_redis.Multiplexer, default);
        _redis.Answered = _redis.Left = Task.CompletedTask;
        await _redis.Subscriber.UnsubscribeAsync(Lobby, subscriptions.Remove(Lobby)!);
        var joined = Handler();
        await RedisSubscriptions.SubscribeAsync(_redis.Subscriber, Lobby, joined, Short, TimeProvider.System, default).WaitAsync(Limit);
        subscriptions.Add(Lobby, joined);
        _answer.SetResult();
        await restoring.WaitAsync(Limit);
        Assert.Equal(1, _redis.Handlers(Lobby));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TheEndDoesNotWaitForARestore(bool isConnected)
    {
        var subscriptions = Keeping(Long, Lobby);
        _redis.IsConnected = isConnected;
        _redis.Answered = isConnected ? _answer.Task : Task.CompletedTask;
        using var stop = new CancellationTokenSource();
        var restoring = subscriptions.RestoreAsync(_redis.Multiplexer, stop.Token);
        await stop.CancelAsync();
        await restoring.WaitAsync(Limit);
        Assert.Equal(0, _redis.Handlers(Lobby));
    }

    [Fact]
    public async Task ASubscribingThatIsGivenUpLeavesNothingBehind()
    {
        _redis.Answered = _answer.Task;
        using var end = new CancellationTokenSource();
        var subscribing = RedisSubscriptions.SubscribeAsync(_redis.Subscriber, Lobby, Handler(), Long, TimeProvider.System, end.Token);
        Assert.Equal(1, _redis.Handlers(Lobby));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => subscribing.WaitAsync(Limit));
        Assert.Equal(0, _redis.Handlers(Lobby));
    }

    [Fact]
    public async Task WhatIsSubscribedToAgainIsReceivedOnceAndEndsAtOnce()
    {
        await using var node = Node();
        var receive = Handler();
        await node.Connection.SubscribeAsync("test", Lobby, receive, default).WaitAsync(Limit);
        await node.Connection.SubscribeAsync("test", Lobby, receive, default).WaitAsync(Limit);
        Assert.Equal(1, _redis.Handlers(Lobby));
        await node.Connection.UnsubscribeAsync("test", Lobby, default).WaitAsync(Limit);
        Assert.Equal(0, _redis.Handlers(Lobby));
    }

    [Fact]
    public async Task ACallerThatCancelsASubscribingLeavesNothingBehind()
    {
        await using var node = Node();
        _redis.IsConnected = false;
        using var cancel = new CancellationTokenSource();
        var subscribing = node.Connection.SubscribeAsync("test", Lobby, Handler(), cancel.Token);
        await Poll.UntilAsync(() => _redis.Tries.GetValueOrDefault(Lobby) > 1, "it tries again and again");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => subscribing.WaitAsync(Limit));
        var tries = _redis.Tries[Lobby];
        var other = node.Connection.SubscribeAsync("test", Channel("other"), Handler(), default);
        await Poll.UntilAsync(() => _redis.Tries.GetValueOrDefault(Channel("other")) > 5, "whatever still tries has had its turn");
        _redis.IsConnected = true;
        await other.WaitAsync(Limit);
        Assert.Equal(tries, _redis.Tries[Lobby]);
        Assert.Equal(0, _redis.Handlers(Lobby));
    }

    private RedisNode Node() => new(
        "",
        options =>
        {
            options.Configuration = null;
            options.Connect = _ => Task.FromResult(_redis.Multiplexer);
            options.OperationTimeout = Limit;
        });

    private static RedisSubscriptions Keeping(TimeSpan patience, params RedisChannel[] channels)
    {
        var subscriptions = new RedisSubscriptions(patience, TimeProvider.System, NullLogger.Instance);
        foreach (var channel in channels)
        {
            subscriptions.Add(channel, Handler());
        }

        return subscriptions;
    }

    // Each with a target of its own, so equal to no other.
    private static Action<RedisChannel, RedisValue> Handler() => new List<RedisValue>().Receive;

    private static RedisChannel Channel(string name) => new(name, RedisChannel.PatternMode.Literal);
}

file static class Received
{
    public static void Receive(this List<RedisValue> received, RedisChannel channel, RedisValue value) => received.Add(value);
}
