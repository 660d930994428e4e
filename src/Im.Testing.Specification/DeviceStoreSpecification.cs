using Im.Devices;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="IDeviceStore"/>.</summary>
public abstract class DeviceStoreSpecification(IStorageFixture fixture) : StorageSpecification(fixture)
{
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly TimelineKey Inbox = TimelineKey.Inbox("ann");

    /// <summary>Trap 6: an old ack that arrives late does not take back what a device has.</summary>
    [Fact]
    public virtual async Task AnAckNeverMovesBack()
    {
        await FillAsync(10);
        await AckAsync("phone", Inbox, 7);
        await AckAsync("phone", Inbox, 3);
        await AckAsync("phone", Inbox, 0);
        await AckAsync("phone", Inbox, -5);

        Assert.Equal(7, await GetAsync("phone", Inbox));
    }

    /// <summary>Trap 6: a client that lies about its cursor does not skip what is still to come.</summary>
    [Fact]
    public virtual async Task AnAckBeyondTheHeadCountsAsTheHead()
    {
        await FillAsync(10);
        await AckAsync("phone", Inbox, long.MaxValue);
        Assert.Equal(10, await GetAsync("phone", Inbox));
        await AckAsync("phone", TimelineKey.Conversation("g:none"), 5);
        Assert.Equal(0, await GetAsync("phone", TimelineKey.Conversation("g:none")));

        await FillAsync(5);
        Assert.Equal(10, await GetAsync("phone", Inbox));
    }

    /// <summary>Trap 6: a new device starts with nothing, whatever the user's other devices have.</summary>
    [Fact]
    public virtual async Task EachDeviceHasItsOwnAcks()
    {
        await FillAsync(10);
        await AckAsync("phone", Inbox, 9);
        await AckAsync("web", Inbox, 2);

        Assert.Equal(9, await GetAsync("phone", Inbox));
        Assert.Equal(2, await GetAsync("web", Inbox));
        Assert.Equal(0, await GetAsync("new", Inbox));
        Assert.Equal(0, await Devices.GetAckAsync("bob", "phone", Inbox, CancellationToken.None).Soon());
    }

    /// <summary>Trap 4: a place in a conversation says nothing about the inbox, even if the two have the same name.</summary>
    [Fact]
    public virtual async Task AcksOfConversationAndInboxAreKeptApart()
    {
        await FillAsync(10);
        await Devices.AckAsync(
            [new("ann", "phone", TimelineKey.Conversation(Direct), 4), new("ann", "phone", Inbox, 6)], CancellationToken.None).Soon();

        Assert.Equal(4, await GetAsync("phone", TimelineKey.Conversation(Direct)));
        Assert.Equal(6, await GetAsync("phone", Inbox));
        Assert.Equal(0, await GetAsync("phone", TimelineKey.Conversation("ann")));
    }

    /// <summary>A sign-in tells what the device is now and forgets nothing that it has.</summary>
    [Fact]
    public virtual async Task SavingReplacesTheDataAndKeepsTheAcks()
    {
        await FillAsync(3);
        await SaveAsync("ann", "web", "1.0");
        await SaveAsync("ann", "phone", "1.0");
        await AckAsync("phone", Inbox, 2);
        await SaveAsync("ann", "phone", "2.0");
        await SaveAsync("bob", "tablet", "1.0");

        var devices = await Devices.ListAsync("ann", CancellationToken.None).Soon();

        Assert.Equal([("phone", "2.0"), ("web", "1.0")], devices.Select(device => (device.DeviceId, device.ClientVersion)));
        Assert.Equal(2, await GetAsync("phone", Inbox));
        Assert.Empty(await Devices.ListAsync("nobody", CancellationToken.None).Soon());
    }

    /// <summary>Trap 6: acks that race each other end at the highest.</summary>
    [Fact]
    public virtual async Task ConcurrentAcksEndAtTheHighest()
    {
        await FillAsync(50);
        await Task.WhenAll(Enumerable.Range(1, 50).Reverse().Select(seq => Task.Run(() => AckAsync("phone", Inbox, seq)))).Soon();

        Assert.Equal(50, await GetAsync("phone", Inbox));
    }

    private async Task FillAsync(int count) =>
        await AppendAsync([.. Enumerable.Range(0, count).Select(_ => Message(Direct, "bob", To("ann", "bob")))]);

    private Task AckAsync(string deviceId, TimelineKey timeline, long seq) =>
        Devices.AckAsync([new DeviceTimelineAck("ann", deviceId, timeline, seq)], CancellationToken.None).Soon();

    private Task<long> GetAsync(string deviceId, TimelineKey timeline) =>
        Devices.GetAckAsync("ann", deviceId, timeline, CancellationToken.None).Soon();

    private Task SaveAsync(string userId, string deviceId, string version) => Devices.SaveAsync(
        new ImDevice { UserId = userId, DeviceId = deviceId, ClientVersion = version, LastSignInMs = 5 }, CancellationToken.None).Soon();
}
