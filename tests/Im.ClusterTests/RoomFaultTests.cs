using System.Diagnostics;
using Im.Client;
using Im.ClusterTests.Cluster;
using Im.ClusterTests.Load;
using Im.Protocol;
using Xunit.Abstractions;

namespace Im.ClusterTests;

/// <summary>A room with a subscriber on each node, and Redis fails. IM_CLUSTER_PAUSE says for how many seconds it stands still.</summary>
[Collection(SharedClusterCollection.Name)]
public sealed class RoomFaultTests(SharedCluster shared, ITestOutputHelper output) : IAsyncLifetime
{
    private const int MaxCuts = 10;

    // ImRedisOptions.OperationTimeout.
    private static readonly TimeSpan OperationTimeout = TimeSpan.FromSeconds(1);

    private readonly string _room = shared.NewUser("room");
    private RoomWitness _alice = null!;
    private RoomWitness _bob = null!;

    public async Task InitializeAsync()
    {
        await shared.Cluster.WhenHealthyAsync();
        _alice = await RoomWitness.EnterAsync(shared.NewUser("alice"), shared.One, _room);
        _bob = await RoomWitness.EnterAsync(shared.NewUser("bob"), shared.Two, _room);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(ImErrorCode.None, await _alice.TrySayAsync($"alice {i}"));
            Assert.Equal(ImErrorCode.None, await _bob.TrySayAsync($"bob {i}"));
        }

        await BothHearAsync("bob 2");
    }

    public async Task DisposeAsync()
    {
        output.WriteLine($"alice: {string.Join(", ", _alice.Parts)}\nbob: {string.Join(", ", _bob.Parts)}");
        await _alice.DisposeAsync();
        await _bob.DisposeAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task ARoomBeginsANewEpochAndGoesOnWhenRedisComesBackEmpty()
    {
        var before = await RoomWitness.LookAsync(shared.NewUser("visitor"), shared.Two, _room);
        await shared.Cluster.Redis.KillAsync();
        try
        {
            await AssertRefusedAsync();
        }
        finally
        {
            await shared.Cluster.Redis.RestartAsync();
        }

        // What the rooms were is gone.
        _alice.Acked.Clear();
        _bob.Acked.Clear();
        await WhenServedAgainAsync();
        Assert.NotEqual(before, await RoomWitness.LookAsync(shared.NewUser("visitor"), shared.One, _room));
        AssertComplete(epochs: 2);
    }

    [Fact(Timeout = 120_000)]
    public async Task ARoomGoesOnInItsEpochWhenRedisHasStoodStill()
    {
        var pause = int.TryParse(Environment.GetEnvironmentVariable("IM_CLUSTER_PAUSE"), out var seconds) ? seconds : 2;
        var before = await RoomWitness.LookAsync(shared.NewUser("visitor"), shared.Two, _room);
        var start = Stopwatch.GetTimestamp();
        shared.Cluster.Redis.Freeze();
        try
        {
            await AssertRefusedAsync();
            var rest = TimeSpan.FromSeconds(pause) - Stopwatch.GetElapsedTime(start);
            await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
        }
        finally
        {
            shared.Cluster.Redis.Thaw();
        }

        await WhenServedAgainAsync();
        Assert.Equal(before, await RoomWitness.LookAsync(shared.NewUser("visitor"), shared.One, _room));
        AssertComplete(epochs: 1);
    }

    [Fact(Timeout = 60_000)]
    public async Task WhatWasPublishedWhileSubscriptionsWereCutIsAGapAndTheRoomGoesOn()
    {
        for (var cut = 0; cut < MaxCuts && !(HasGap(_alice) && HasGap(_bob)); cut++)
        {
            await RedisCli.AskAsync(shared.Cluster.Redis, "CLIENT", "KILL", "TYPE", "pubsub");

            // Commands work: nobody's message is refused.
            Assert.Equal(ImErrorCode.None, await _alice.TrySayAsync($"cut {cut}"));
            Assert.Equal(ImErrorCode.None, await _bob.TrySayAsync($"cut {cut} too"));
            await WhenServedAgainAsync($"cut {cut} over");
        }

        Assert.True(HasGap(_alice) && HasGap(_bob), "Nothing was missed: the test shows nothing.");
        AssertComplete(epochs: 1);

        static bool HasGap(RoomWitness witness) => witness.Parts.Any(part => part.Text is null);
    }

    // On both nodes; and only the first waits.
    private async Task AssertRefusedAsync()
    {
        await Task.WhenAll(((RoomWitness[])[_alice, _bob]).Select(async witness =>
        {
            Assert.Equal(ImErrorCode.ClusterUnavailable, await witness.TrySayAsync($"{witness.UserId} lost"));
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < 20; i++)
            {
                Assert.Equal(ImErrorCode.ClusterUnavailable, await witness.TrySayAsync($"{witness.UserId} lost {i}"));
            }

            var took = Stopwatch.GetElapsedTime(start);
            Assert.True(took < OperationTimeout * 5, $"20 refusals took {took}.");
        }));
        var refusal = await Assert.ThrowsAsync<ImClientException>(() => RoomWitness.EnterAsync(shared.NewUser("late"), shared.One, _room + "-other"));
        Assert.Equal(ImErrorCode.ClusterUnavailable, refusal.Code);
    }

    // Nobody does anything but say something now and then.
    private async Task WhenServedAgainAsync(string what = "back")
    {
        var start = Stopwatch.GetTimestamp();
        var turn = 0;
        await Wait.UntilAsync(
            async () =>
            {
                var (one, two) = ($"{what} {turn}", $"{what} {turn++} too");
                ImErrorCode[] codes = [await _alice.TrySayAsync(one), await _bob.TrySayAsync(two)];
                Assert.All(codes, code => Assert.True(code is ImErrorCode.None or ImErrorCode.ClusterUnavailable, $"{code}"));
                await Task.Delay(50);
                return HaveBoth(one) && HaveBoth(two) ? null : "Somebody does not hear what is said now.";
            });
        output.WriteLine($"{what} after {Stopwatch.GetElapsedTime(start).TotalSeconds:0.00} s.");
    }

    private void AssertComplete(int epochs)
    {
        (string Text, long Seq)[] acked = [.. _alice.Acked, .. _bob.Acked];
        _alice.AssertComplete(acked, epochs);
        _bob.AssertComplete(acked, epochs);
    }

    private bool HaveBoth(string text) => _alice.HasHeard(text) && _bob.HasHeard(text);

    private Task BothHearAsync(string text) => Wait.UntilAsync(() => HaveBoth(text), $"Somebody has not heard \"{text}\".");
}
