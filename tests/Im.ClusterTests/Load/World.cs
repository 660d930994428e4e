using Im.ClusterTests.Cluster;
using Im.Model;

namespace Im.ClusterTests.Load;

/// <summary>Users, devices and conversations, spread over all nodes.</summary>
/// <remarks>
/// Two of three users have one device, every third has two on different nodes. Neighbours have a direct conversation; every user is in some groups with
/// fan-out on write, and most are in one of the larger ones with fan-out on read.
/// </remarks>
internal sealed class World : IAsyncDisposable
{
    private const int SmallGroup = 12;
    private const int LargeGroup = 40;

    private readonly List<List<TestDevice>> _byUser = [];

    public List<TestDevice> Devices { get; } = [];

    public List<Conversation> Direct { get; } = [];

    public List<Conversation> OnWrite { get; } = [];

    public List<Conversation> OnRead { get; } = [];

    public IEnumerable<Conversation> Conversations => Direct.Concat(OnWrite).Concat(OnRead);

    public static async Task<World> CreateAsync(
        TestCluster cluster, int devices, Random random, MessageBook book, Problems problems, Interruptions interruptions)
    {
        var world = new World();
        for (var user = 0; world.Devices.Count < devices; user++)
        {
            world._byUser.Add([]);
            for (var i = 0; i < (user % 2 == 0 ? 2 : 1) && world.Devices.Count < devices; i++)
            {
                var servers = cluster.Nodes.Skip((user + i) % cluster.Nodes.Count).Concat(cluster.Nodes.Take((user + i) % cluster.Nodes.Count));
                var device = new TestDevice(UserId(user), $"d{i}", [.. servers.Select(node => node.Address)], book, problems, interruptions);
                world._byUser[user].Add(device);
                world.Devices.Add(device);
            }
        }

        foreach (var some in world.Devices.Chunk(50))
        {
            await Task.WhenAll(some.Select(device => device.StartAsync()));
        }

        await world.AddConversationsAsync(cluster, random);
        return world;
    }

    public static string UserId(int user) => $"u{user}";

    public async ValueTask DisposeAsync()
    {
        foreach (var some in Devices.Chunk(50))
        {
            await Task.WhenAll(some.Select(device => device.DisposeAsync().AsTask()));
        }
    }

    /// <summary>A device of one of its members.</summary>
    public TestDevice SenderOf(Conversation conversation, Random random) => conversation.Devices[random.Next(conversation.Devices.Count)];

    private async Task AddConversationsAsync(TestCluster cluster, Random random)
    {
        var users = _byUser.Count;
        for (var user = 0; user + 1 < users; user += 2)
        {
            Direct.Add(Make(ConversationId.Direct(UserId(user), UserId(user + 1)), [user, user + 1]));
        }

        var everyone = Enumerable.Range(0, users).ToArray();
        for (var i = 0; i < Math.Max(3, users / 6); i++)
        {
            OnWrite.Add(await MakeGroupAsync(cluster.Nodes[i % cluster.Nodes.Count], $"w{i}", "write", Some(SmallGroup)));
        }

        for (var i = 0; i < Math.Max(2, users / LargeGroup); i++)
        {
            OnRead.Add(await MakeGroupAsync(cluster.Nodes[i % cluster.Nodes.Count], $"r{i}", "read", Some(LargeGroup)));
        }

        int[] Some(int count)
        {
            random.Shuffle(everyone);
            return [.. everyone.Take(count)];
        }
    }

    private async Task<Conversation> MakeGroupAsync(NodeProcess node, string id, string fanout, int[] users)
    {
        await node.CreateGroupAsync(id, fanout, users.Select(UserId));
        return Make($"g:{id}", users);
    }

    private Conversation Make(string id, int[] users) => new(id, users, [.. users.SelectMany(user => _byUser[user])]);
}
