using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>Names of keys and channels. All nodes of a cluster must make the same ones: a change here needs a new prefix.</summary>
/// <remarks>
/// What one script touches has one hash tag, and so one slot of a Redis Cluster: a bucket of users ({b17}), of timelines ({h17}), the nodes ({nodes}),
/// a room ({r:…}), a group ({g:…}). An id with a closing brace ends its tag early, in all keys alike.
/// </remarks>
internal sealed class RedisKeys(IOptions<ImRedisOptions> options)
{
    /// <summary>How many buckets the users are spread over, and the timelines.</summary>
    public const int Buckets = 64;

    private readonly string _prefix = options.Value.KeyPrefix;

    public RedisKey Nodes => _prefix + ":{nodes}:leases";

    /// <summary>Epochs of nodes whose name another process has taken over before their entries were removed.</summary>
    public RedisKey Superseded => _prefix + ":{nodes}:superseded";

    public RedisKey Epoch => _prefix + ":{nodes}:epoch";

    public RedisKey Reaper => _prefix + ":{nodes}:reaper";

    public RedisChannel AllNodes => Channel(_prefix + ":all");

    /// <summary>The bucket of an id.</summary>
    public static int Bucket(string id)
    {
        // FNV-1a, since string.GetHashCode differs from process to process.
        var hash = 2166136261;
        foreach (var value in Encoding.UTF8.GetBytes(id))
        {
            hash = (hash ^ value) * 16777619;
        }

        return (int)(hash % Buckets);
    }

    public RedisKey Sessions(int bucket) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}:{{b{bucket}}}:sessions");

    public RedisKey LastSeen(int bucket) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}:{{b{bucket}}}:seen");

    public RedisKey Ticket(int bucket) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}:{{b{bucket}}}:ticket");

    public RedisKey Heads(int bucket, long period) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}:{{h{bucket}}}:heads:{period}");

    public RedisKey Members(string conversationId) => $"{_prefix}:{{g:{conversationId}}}:members";

    public RedisKey Fill(string conversationId) => $"{_prefix}:{{g:{conversationId}}}:fill";

    public RedisKey Room(string roomId) => $"{_prefix}:{{r:{roomId}}}:room";

    public RedisKey Replay(string roomId, int priority) => string.Create(CultureInfo.InvariantCulture, $"{_prefix}:{{r:{roomId}}}:replay:{priority}");

    public string RoomChannelName(string roomId) => $"{_prefix}:room:{roomId}";

    public RedisChannel RoomChannel(string roomId) => Channel(RoomChannelName(roomId));

    public RedisChannel Node(string nodeName) => Channel($"{_prefix}:node:{nodeName}");

    // A pattern would match other nodes' channels, and the constructor without a mode guesses.
    private static RedisChannel Channel(string name) => new(name, RedisChannel.PatternMode.Literal);
}
