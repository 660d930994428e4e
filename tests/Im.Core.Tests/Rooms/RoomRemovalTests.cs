using Im.Protocol;
using Im.Rooms;

namespace Im.Core.Tests.Rooms;

/// <summary>Whom the host removes is not in, however far the subscription was.</summary>
public sealed class RoomRemovalTests
{
    private readonly HeldPolicy _policy = new();

    /// <summary>Where a subscription stands when its user is removed.</summary>
    public enum Step
    {
        PolicyHasSaidYes,
        Listening,
        ReadingTheReplay,
    }

    [Theory]
    [InlineData(Step.PolicyHasSaidYes, "bob")]
    [InlineData(Step.Listening, "bob")]
    [InlineData(Step.ReadingTheReplay, "bob")]
    [InlineData(Step.PolicyHasSaidYes, null)]
    [InlineData(Step.ReadingTheReplay, null)]
    public async Task WhoIsRemovedWhileSubscribingIsRefused(Step step, string? user)
    {
        await using var node = await RoomNode.StartAsync(policy: _policy);
        await node.SendAsync("r", RoomPriority.Normal, "kept");
        var device = await RoomDevice.SignInAsync(node, "bob");
        await device.AskAsync(RoomPackets.Subscribe("old"));
        var hold = Hold(node, step);
        var id = device.Write(RoomPackets.Subscribe("r", replay: 10, leaveOthers: true));
        await hold.Reached.Task.WaitAsync(RoomNode.Patience);

        Assert.Equal(0, await RemoveAsync(node, "r", user));
        Assert.Equal(0, await node.CountAsync("r"));
        await node.SendAsync("r", RoomPriority.High, "early");
        hold.Release.SetResult();
        var packets = await device.ReadToAsync(packet => packet.RequestId == id);
        Assert.Equal((int)ImErrorCode.RoomForbidden, Assert.Single(packets).Error.Code);

        // It is in what it was in, and in nothing more.
        Assert.Equal((1, 0), (await node.CountAsync("old"), await node.CountAsync("r")));
        Assert.Empty(node.Rooms.Starting);
        await node.SendAsync("r", RoomPriority.Normal, "late");
        await node.SendAsync("old", RoomPriority.Normal, "still here");
        Assert.Equal(["still here"], device.Read().Texts());

        // Whoever asks anew is the policy's.
        packets = await device.AskAsync(RoomPackets.Subscribe("r", replay: 10));
        Assert.NotNull(packets[^1].RoomSubscribed);
        Assert.Equal(["early", "kept", "late"], device.Read().Texts());
    }

    [Fact]
    public async Task WhoIsRemovedWhileSubscribingAgainIsToldFirstAndThenRefused()
    {
        await using var node = await RoomNode.StartAsync(policy: _policy);
        var device = await RoomDevice.SignInAsync(node, "bob");
        await device.AskAsync(RoomPackets.Subscribe("r"));
        var hold = Hold(node, Step.ReadingTheReplay);
        var id = device.Write(RoomPackets.Subscribe("r", replay: 10));
        await hold.Reached.Task.WaitAsync(RoomNode.Patience);
        await node.SendAsync("r", RoomPriority.Normal, "unread");

        Assert.Equal(1, await RemoveAsync(node, "r", "bob"));
        hold.Release.SetResult();
        var packets = await device.ReadToAsync(packet => packet.RequestId == id);
        Assert.Equal([ServerPacket.PacketOneofCase.RoomLeft, ServerPacket.PacketOneofCase.Error], packets.Select(packet => packet.PacketCase));
        Assert.Equal(0, await node.CountAsync("r"));
        Assert.Equal(0, await RemoveAsync(node, "r", "bob"));
        Assert.Empty(device.Read());
    }

    [Fact]
    public async Task OthersAndOtherRoomsAreNotRefused()
    {
        await using var node = await RoomNode.StartAsync(policy: _policy);
        var bob = await RoomDevice.SignInAsync(node, "bob");
        var cyd = await RoomDevice.SignInAsync(node, "cyd");
        var hold = Hold(node, Step.PolicyHasSaidYes);
        var bobs = bob.Write(RoomPackets.Subscribe("other"));
        var cyds = cyd.Write(RoomPackets.Subscribe("r"));
        await hold.Reached.Task.WaitAsync(RoomNode.Patience);
        await EventuallyAsync(() => node.Rooms.Starting.Count() == 2);
        Assert.Equal(0, await RemoveAsync(node, "r", "bob"));
        hold.Release.SetResult();
        Assert.NotNull((await bob.ReadToAsync(packet => packet.RequestId == bobs))[^1].RoomSubscribed);
        Assert.NotNull((await cyd.ReadToAsync(packet => packet.RequestId == cyds))[^1].RoomSubscribed);
    }

    [Fact]
    public async Task WhomThePolicyHasYetToAnswerCountsAsNoSubscriber()
    {
        await using var node = await RoomNode.StartAsync(policy: _policy);
        var device = await RoomDevice.SignInAsync(node, "bob");
        var hold = Hold(node, Step.PolicyHasSaidYes);
        _policy.Refuses = _ => true;
        var id = device.Write(RoomPackets.Subscribe("r"));
        await hold.Reached.Task.WaitAsync(RoomNode.Patience);
        Assert.Single(node.Rooms.Starting);
        Assert.Equal((0, 0), (await node.CountAsync("r"), node.Rooms.Count));
        hold.Release.SetResult();
        Assert.Equal((int)ImErrorCode.RoomForbidden, (await device.ReadToAsync(packet => packet.RequestId == id))[^1].Error.Code);
        Assert.Equal((0, 0), (node.Rooms.Starting.Count(), node.Rooms.Count));
    }

    // The policy knows of the ban before the removal, but its answer may be older.
    [Fact]
    public async Task WhoIsBannedAndThenRemovedIsNeverIn()
    {
        await using var node = await RoomNode.StartAsync(policy: _policy);
        var devices = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => RoomDevice.SignInAsync(node, $"u{i}")));
        var refused = 0;
        var told = 0;
        for (var round = 0; round < 100; round++)
        {
            var room = $"r{round}";
            var isBanned = false;
            _policy.Refuses = _ => Volatile.Read(ref isBanned);
            _policy.AfterAnswer = async () => await Task.Yield();
            var asking = devices.Select(async device =>
            {
                await Task.Yield();
                return await device.AskAsync(RoomPackets.Subscribe(room, replay: 1, leaveOthers: true));
            }).ToArray();
            if (round % 2 == 0)
            {
                await asking[0].WaitAsync(RoomNode.Patience);
            }

            Volatile.Write(ref isBanned, true);
            var removed = await RemoveAsync(node, room, null);
            var answers = await Task.WhenAll(asking).WaitAsync(RoomNode.Patience);
            Assert.Equal(0, await node.CountAsync(room));
            await node.SendAsync(room, RoomPriority.Normal, "secret");
            var rest = devices.SelectMany(device => device.Read()).ToArray();
            Assert.Empty(answers.SelectMany(packets => packets).Concat(rest).Texts());

            // Each of the subscribed was removed, and was told so.
            Assert.Equal(removed, answers.Count(packets => packets[^1].RoomSubscribed is not null));
            Assert.Equal(removed, rest.Count(packet => packet.RoomLeft?.RoomId == room));
            refused += devices.Length - removed;
            told += removed;
        }

        Assert.True(refused > 0 && told > 0, $"{refused} were refused and {told} removed, so this proves less than it should.");
    }

    private static Task<int> RemoveAsync(RoomNode node, string room, string? user) => node.Im.RemoveAsync(room, user).AsTask().WaitAsync(RoomNode.Patience);

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        var deadline = TimeProvider.System.GetUtcNow() + RoomNode.Patience;
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetUtcNow() < deadline, "It did not happen in time.");
            await Task.Delay(5);
        }
    }

    private Gate Hold(RoomNode node, Step step)
    {
        var gate = new Gate();
        switch (step)
        {
            case Step.PolicyHasSaidYes:
                _policy.AfterAnswer = gate.PassAsync;
                break;
            case Step.Listening:
                node.Store.BeforeListen = gate.PassAsync;
                break;
            default:
                node.Store.BeforeRead = gate.PassAsync;
                break;
        }

        return gate;
    }

    private sealed class Gate
    {
        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Release { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task PassAsync()
        {
            Reached.TrySetResult();
            return Release.Task;
        }
    }

    /// <summary>A policy whose answer is made at once, and may be long on its way.</summary>
    private sealed class HeldPolicy : IRoomPolicy
    {
        public Func<Task>? AfterAnswer { get; set; }

        public Func<RoomAccess, bool> Refuses { get; set; } = _ => false;

        public async ValueTask<bool> CanSubscribeAsync(RoomAccess access, CancellationToken cancellationToken)
        {
            var isAllowed = !Refuses(access);
            await (AfterAnswer?.Invoke() ?? Task.CompletedTask);
            return isAllowed;
        }

        public ValueTask<bool> CanSendAsync(RoomAccess access, CancellationToken cancellationToken) => ValueTask.FromResult(true);
    }
}
