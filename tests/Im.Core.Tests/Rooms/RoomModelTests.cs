using System.Collections.Concurrent;
using System.Globalization;
using Im.Protocol;
using Im.Rooms.InMemory;
using Xunit.Abstractions;

namespace Im.Core.Tests.Rooms;

/// <summary>
/// Random subscriptions, switches, disconnects and slow readers on two nodes that share their rooms: everybody reads each message once, in order, and
/// misses none but those that were counted as dropped.
/// </summary>
public sealed class RoomModelTests(ITestOutputHelper output)
{
    private const int Keep = 20;
    private static readonly string[] RoomIds = ["a", "b", "c"];

    [Fact]
    public async Task OneStepAfterTheOtherEverybodyReadsExactlyWhatItIsIn()
    {
        var seed = Seed();
        var random = new Random(seed);
        var rooms = new InMemoryRooms(TimeProvider.System);
        await using var first = await StartAsync(rooms);
        await using var second = await StartAsync(rooms);
        RoomNode[] nodes = [first, second];
        var log = new ConcurrentDictionary<(string Room, RoomPriority Priority, long Seq), string>();
        var devices = new List<Actor>();
        for (var i = 0; i < 12; i++)
        {
            devices.Add(await Actor.StartAsync(nodes[i % 2], $"u{i}", isSlow: i % 4 == 3));
        }

        for (var step = 0; step < 3000; step++)
        {
            var actor = devices[random.Next(devices.Count)];
            if (random.Next(3) > 0)
            {
                await PublishAsync(nodes[random.Next(2)], random, log, step);
            }
            else
            {
                await actor.DoAsync(random, isQuiet: true);
            }

            foreach (var fast in devices.Where(device => !device.IsSlow))
            {
                fast.Read(isQuiet: true);
            }

            if (random.Next(100) == 0)
            {
                devices.Where(device => device.IsSlow).ToList().ForEach(slow => slow.Read(isQuiet: true));
            }
        }

        await EndAsync(nodes, devices, log);
        Assert.All(devices.Where(device => !device.IsSlow), device => Assert.Equal(0, device.Watch.Missing));
        Assert.True(devices.Sum(device => device.Watch.Missing) > 0, "Nobody was slow enough, so this proves less than it should.");
    }

    [Fact]
    public async Task AllAtOnceEverybodyReadsEachMessageOnceAndInOrder()
    {
        var seed = Seed();
        var rooms = new InMemoryRooms(TimeProvider.System);
        await using var first = await StartAsync(rooms);
        await using var second = await StartAsync(rooms);
        RoomNode[] nodes = [first, second];
        var log = new ConcurrentDictionary<(string Room, RoomPriority Priority, long Seq), string>();
        var devices = new List<Actor>();
        for (var i = 0; i < 12; i++)
        {
            devices.Add(await Actor.StartAsync(nodes[i % 2], $"u{i}", isSlow: i % 4 == 3));
        }

        var publishing = nodes.Select((node, number) => PublishAllAsync(node, new Random(seed + number), number)).ToArray();
        var acting = devices.Select((device, number) => ActAsync(device, new Random(seed + 100 + number))).ToArray();
        await Task.WhenAll(publishing.Concat(acting)).WaitAsync(TimeSpan.FromSeconds(60));
        await EndAsync(nodes, devices, log);

        async Task PublishAllAsync(RoomNode node, Random random, int number)
        {
            await Task.Yield();
            for (var i = 0; i < 1500; i++)
            {
                await PublishAsync(node, random, log, (number * 1_000_000) + i);
            }
        }

        async Task ActAsync(Actor device, Random random)
        {
            await Task.Yield();
            for (var i = 0; i < 150; i++)
            {
                await device.DoAsync(random, isQuiet: false);
                for (var reads = device.IsSlow ? 0 : 20; reads > 0; reads--)
                {
                    device.Read(isQuiet: false);
                    await Task.Yield();
                }
            }
        }
    }

    private static Task<RoomNode> StartAsync(InMemoryRooms rooms) => RoomNode.StartAsync(rooms, options =>
    {
        options.MaxQueueMessages = 50;
        options.ReplayMessages = Keep;
        options.LingerTime = TimeSpan.FromMilliseconds(20);
        options.MaxRoomsPerConnection = 2;
    });

    private static async Task PublishAsync(
        RoomNode node, Random random, ConcurrentDictionary<(string, RoomPriority, long), string> log, int step)
    {
        var room = RoomIds[random.Next(RoomIds.Length)];
        var priority = random.Next(4) == 0 ? RoomPriority.High : RoomPriority.Normal;
        var texts = Enumerable.Range(0, random.Next(1, 5)).Select(i => $"{step}.{i}").ToArray();
        var positions = await node.SendAsync(room, priority, texts);
        for (var i = 0; i < texts.Length; i++)
        {
            Assert.True(log.TryAdd((room, priority, positions[i].Seq), texts[i]), "A seq was given twice.");
        }
    }

    // The last message of each room shows everybody what it has missed.
    private static async Task EndAsync(RoomNode[] nodes, List<Actor> devices, ConcurrentDictionary<(string Room, RoomPriority Priority, long Seq), string> log)
    {
        devices.ForEach(device => device.Read(isQuiet: true));
        foreach (var room in RoomIds)
        {
            foreach (var priority in new[] { RoomPriority.Normal, RoomPriority.High })
            {
                var last = (await nodes[0].SendAsync(room, priority, $"last {room}"))[0];
                log[(room, priority, last.Seq)] = $"last {room}";
                Assert.Equal(last.Seq, log.Keys.Count(key => key.Room == room && key.Priority == priority));
            }
        }

        foreach (var device in devices)
        {
            device.Read(isQuiet: true);
            Assert.Equal(device.Watch.Rooms.Count * 2, device.Watch.Read.Count(message => message.Text.StartsWith("last", StringComparison.Ordinal)));
            Assert.All(device.Watch.Read, message => Assert.Equal(log[(message.Room, message.Priority, message.Seq)], message.Text));
        }

        Assert.InRange(devices.Sum(device => device.Watch.Missing), 0, nodes.Sum(node => node.Dropped));
        Assert.True(devices.Sum(device => device.Watch.Read.Count) > log.Count, "Almost nothing was read.");
    }

    private int Seed()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), CultureInfo.InvariantCulture, out var given) ? given : Random.Shared.Next();
        output.WriteLine($"IM_SEED={seed}");
        return seed;
    }

    private sealed class Actor(RoomNode node, string user)
    {
        private RoomDevice _device = null!;

        public required bool IsSlow { get; init; }

        public RoomWatch Watch { get; } = new();

        public static async Task<Actor> StartAsync(RoomNode node, string user, bool isSlow)
        {
            var actor = new Actor(node, user) { IsSlow = isSlow };
            actor._device = await RoomDevice.SignInAsync(node, user);
            return actor;
        }

        public void Read(bool isQuiet) => Watch.Take(_device.Read(), isQuiet, Keep);

        public async Task DoAsync(Random random, bool isQuiet)
        {
            var room = RoomIds[random.Next(RoomIds.Length)];
            switch (random.Next(8))
            {
                case 0:
                    _device.Disconnect();
                    Watch.Disconnected();
                    _device = await RoomDevice.SignInAsync(node, user);
                    break;
                case 1:
                    Watch.Take(await _device.AskAsync(RoomPackets.Leave(room)), isQuiet, Keep);
                    break;
                case 2 when Watch.Position(room) is { } position:
                    await SubscribeAsync(RoomPackets.Resume(room, position.Epoch, position.Normal, position.High), isQuiet);
                    break;
                default:
                    var isFull = Watch.Rooms.Count >= 2 && !Watch.Rooms.Contains(room);
                    await SubscribeAsync(RoomPackets.Subscribe(room, random.Next(Keep * 2), isFull || random.Next(3) == 0), isQuiet);
                    break;
            }
        }

        private async Task SubscribeAsync(ClientPacket packet, bool isQuiet)
        {
            var id = _device.Write(packet);
            Watch.Asked(id, packet.SubscribeRoom);
            Watch.Take(await _device.ReadToAsync(answer => answer.RequestId == id), isQuiet, Keep);
        }
    }
}
