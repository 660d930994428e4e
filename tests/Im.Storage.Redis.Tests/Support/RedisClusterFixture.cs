using Im.Cluster;
using Im.Testing.Specification;

namespace Im.Storage.Redis.Tests.Support;

/// <summary>Nodes for the suites: what <c>UseRedis</c> gives, on one real server.</summary>
public class RedisClusterFixture : RedisFixture, IClusterFixture, ILosesEverything
{
    private readonly Dictionary<ClusterNodeParts, RedisNode> _nodes = [];

    public ValueTask<ClusterNodeParts> CreateNodeAsync()
    {
        var node = new RedisNode(Server.ConnectionString, Configure);
        var parts = new ClusterNodeParts(node.Directory, node.Backplane, node.Rooms, node.Members);
        _nodes.Add(parts, node);
        return new(parts);
    }

    public async ValueTask CloseAsync(ClusterNodeParts node)
    {
        if (_nodes.Remove(node, out var open))
        {
            await open.DisposeAsync();
        }
    }

    public async ValueTask ResetAsync() => await RunAsync("FLUSHALL");

    public new async ValueTask RestartEmptyAsync()
    {
        await base.RestartEmptyAsync();
        foreach (var node in _nodes.Values)
        {
            await Poll.UntilAsync(async () => await CanAsync(node), "the nodes are connected again");
        }
    }

    protected virtual void Configure(ImRedisOptions options)
    {
    }

    private static async Task<bool> CanAsync(RedisNode node)
    {
        try
        {
            await node.Directory.FindAsync(["nobody"], default);
            return true;
        }
        catch (ImClusterException)
        {
            return false;
        }
    }
}
