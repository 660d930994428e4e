using System.Runtime.CompilerServices;
using Im.Cluster;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>The nodes' leases, and what dead nodes left. All of it is in keys of one hash tag, by the clock of Redis.</summary>
internal sealed partial class RedisSessionDirectory
{
    public async ValueTask<NodeJoined> JoinAsync(NodeDescription node, TimeSpan lease, CancellationToken cancellationToken)
    {
        var answer = (RedisResult[])(await redis.EvaluateAsync(
            RedisScript.Join,
            [keys.Nodes, keys.Superseded, keys.Epoch],
            [node.Name, node.InstanceId, node.Version, Records.Milliseconds(lease)],
            cancellationToken).ConfigureAwait(false))!;
        var epoch = Records.Number((string)answer[0]!);
        return new NodeJoined(epoch, epoch == 0 ? Records.Lease(node.Name, (string)answer[1]!) : null);
    }

    public async ValueTask<IReadOnlyList<LiveNode>?> RenewAsync(NodeDescription node, long epoch, TimeSpan lease, CancellationToken cancellationToken)
    {
        var answer = await redis.EvaluateAsync(
            RedisScript.Renew, [keys.Nodes], [node.Name, node.InstanceId, epoch, Records.Milliseconds(lease)], cancellationToken).ConfigureAwait(false);
        return answer.IsNull ? null : Nodes(answer);
    }

    public async ValueTask LeaveAsync(string nodeName, long epoch, CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, RedisKeys.Buckets).Select(bucket => redis.EvaluateAsync(
            RedisScript.Holds, [keys.Sessions(bucket)], [nodeName, epoch], cancellationToken))).ConfigureAwait(false);
        var isEmpty = answers.All(answer => (int)answer == 0);
        await redis.EvaluateAsync(RedisScript.Leave, [keys.Nodes], [nodeName, epoch, isEmpty ? 1 : 0], cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<LiveNode>> FindDeadNodesAsync(NodeDescription reaper, TimeSpan lockFor, CancellationToken cancellationToken) =>
        Nodes(await redis.EvaluateAsync(
            RedisScript.Dead,
            [keys.Nodes, keys.Superseded, keys.Reaper],
            [$"{reaper.Name}\u001f{reaper.InstanceId}", Records.Milliseconds(lockFor)],
            cancellationToken).ConfigureAwait(false));

    // A step is a page of a bucket.
    public async IAsyncEnumerable<IReadOnlyList<(DirectorySession Session, Removal Removal)>> RemoveNodeAsync(
        LiveNode deadNode, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!await IsDeadAsync(deadNode, forget: false, cancellationToken).ConfigureAwait(false))
        {
            // It has come back meanwhile, or its directory was slow.
            yield break;
        }

        for (var bucket = 0; bucket < RedisKeys.Buckets; bucket++)
        {
            var scan = "0";
            do
            {
                var answer = (RedisResult[])(await redis.EvaluateAsync(
                    RedisScript.Reap,
                    [keys.Sessions(bucket), keys.LastSeen(bucket)],
                    [deadNode.Name, deadNode.Epoch, _keepLastSeen, scan, PageSize],
                    cancellationToken).ConfigureAwait(false))!;
                scan = (string)answer[0]!;
                if (answer.Length > 1)
                {
                    yield return Removed(answer);
                }
            }
            while (scan != "0");
        }

        // Only now: what fails before is found and done again.
        await IsDeadAsync(deadNode, forget: true, cancellationToken).ConfigureAwait(false);
    }

    // Behind the scan's cursor: for each session the user, the record, and how many sessions the user has then.
    private static List<(DirectorySession Session, Removal Removal)> Removed(RedisResult[] answer)
    {
        var removed = new List<(DirectorySession, Removal)>(answer.Length / 3);
        for (var i = 1; i < answer.Length; i += 3)
        {
            removed.Add((Records.Session((string)answer[i]!, (string)answer[i + 1]!), new Removal(true, (int)answer[i + 2])));
        }

        return removed;
    }

    private async Task<bool> IsDeadAsync(LiveNode node, bool forget, CancellationToken cancellationToken) => (int)await redis.EvaluateAsync(
        RedisScript.Buried, [keys.Nodes, keys.Superseded], [node.Name, node.Epoch, forget ? 1 : 0], cancellationToken).ConfigureAwait(false) == 1;

    private static IReadOnlyList<LiveNode> Nodes(RedisResult answer)
    {
        var pairs = (string[])answer!;
        return [.. pairs.Chunk(2).Select(pair => Records.Lease(pair[0], pair[1])).OrderBy(node => node.Name, StringComparer.Ordinal).ThenBy(node => node.Epoch)];
    }
}
