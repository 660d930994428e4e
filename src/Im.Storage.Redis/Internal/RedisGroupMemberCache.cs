using Im.Cluster;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>Members of a group as one set, which holds its own version as a member that no id can be.</summary>
internal sealed class RedisGroupMemberCache(RedisConnection redis, RedisKeys keys, IOptions<ImRedisOptions> options) : IGroupMemberCache
{
    // Of one script call, so that no call occupies Redis for long.
    private const int PageSize = 1_000;

    private readonly string _keep = Records.Milliseconds(options.Value.KeepMembersFor);
    private readonly string _fillTimeout = Records.Milliseconds(options.Value.FillTimeout);

    public async ValueTask<IReadOnlyList<bool>?> FindAsync(
        string conversationId, long version, IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        var found = new List<bool>(userIds.Count);
        foreach (var page in Pages(userIds))
        {
            var answer = await redis.EvaluateAsync(
                RedisScript.MembersFind, [keys.Members(conversationId)], [VersionMark(version), _keep, .. page], cancellationToken).ConfigureAwait(false);
            if (answer.IsNull)
            {
                return null;
            }

            found.AddRange(((RedisResult[])answer!).Select(isMember => (int)isMember == 1));
        }

        return found;
    }

    public async ValueTask ChangeAsync(
        string conversationId, long fromVersion, IReadOnlyList<string> added, IReadOnlyList<string> removed, CancellationToken cancellationToken) =>
        await redis.EvaluateAsync(
            RedisScript.MembersChange,
            [keys.Members(conversationId)],
            [VersionMark(fromVersion), VersionMark(fromVersion + 1), _keep, added.Count, .. Values(added), .. Values(removed)],
            cancellationToken).ConfigureAwait(false);

    public async ValueTask<bool> BeginFillAsync(string conversationId, long version, string filler, CancellationToken cancellationToken) =>
        (int)await redis.EvaluateAsync(
            RedisScript.FillBegin,
            [keys.Members(conversationId), keys.Fill(conversationId)],
            [VersionMark(version), FillMark(version, filler), FillerMark(filler), _fillTimeout],
            cancellationToken).ConfigureAwait(false) == 1;

    public async ValueTask AddAsync(
        string conversationId, long version, string filler, IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        foreach (var page in Pages(userIds))
        {
            await redis.EvaluateAsync(
                RedisScript.FillAdd, [keys.Fill(conversationId)], [FillMark(version, filler), _fillTimeout, .. page], cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask<bool> CompleteFillAsync(string conversationId, long version, string filler, CancellationToken cancellationToken) =>
        (int)await redis.EvaluateAsync(
            RedisScript.FillComplete,
            [keys.Members(conversationId), keys.Fill(conversationId)],
            [VersionMark(version), FillMark(version, filler), FillerMark(filler), _keep],
            cancellationToken).ConfigureAwait(false) == 1;

    public async ValueTask ForgetAsync(string conversationId, CancellationToken cancellationToken) => await redis.RunAsync(
        "members-forget",
        multiplexer => multiplexer.GetDatabase().KeyDeleteAsync([keys.Members(conversationId), keys.Fill(conversationId)]),
        cancellationToken).ConfigureAwait(false);

    // Ids have no control characters.
    private static string VersionMark(long version) => $"\u001f{Records.Text(version)}";

    private static string FillMark(long version, string filler) => $"\u001f{Records.Text(version)}\u001f{filler}";

    private static IEnumerable<RedisValue> Values(IEnumerable<string> userIds) => userIds.Select(userId => (RedisValue)userId);

    private static string FillerMark(string filler) => $"\u001f\u001f{filler}";

    // Nobody asked about is still a question about the version.
    private static IEnumerable<RedisValue[]> Pages(IReadOnlyList<string> userIds) => userIds.Count == 0 ? [[]] : Values(userIds).Chunk(PageSize);
}
