using Im.Cluster;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>
/// Sessions in <see cref="RedisKeys.Buckets"/> hashes from user to sessions. One script reads, compares and writes within one bucket, so that what is
/// changed for a user is changed at once; a call for users of several buckets is several scripts, sent together.
/// </summary>
internal sealed partial class RedisSessionDirectory(RedisConnection redis, RedisKeys keys, IOptions<ImRedisOptions> options, TimeProvider time)
    : ISessionDirectory
{
    // Of one script call, so that no call occupies Redis for long.
    private const int PageSize = 250;

    private readonly RedisClock _clock = new(options.Value.OperationTimeout, time);
    private readonly string _keepLastSeen = Records.Milliseconds(options.Value.KeepLastSeenFor);

    public async ValueTask<IReadOnlyList<Registration>> RegisterAsync(IReadOnlyList<DirectorySession> sessions, CancellationToken cancellationToken)
    {
        var results = new Registration[sessions.Count];
        await ForPagesAsync(sessions, session => session.UserId, async (bucket, page) =>
        {
            var answers = await RegisterAsync(bucket, [.. page.SelectMany(i => Arguments(sessions[i]))], cancellationToken).ConfigureAwait(false);
            for (var n = 0; n < page.Length; n++)
            {
                var answer = (RedisResult[])answers[n + 1]!;
                var other = (string)answer[1]!;
                results[page[n]] = new Registration(
                    Records.Number((string)answer[0]!),
                    other.Length == 0 ? null : Records.Session(sessions[page[n]].UserId, other),
                    (int)answer[2],
                    (int)answer[3] == 1);
            }
        }).ConfigureAwait(false);
        return results;
    }

    public async ValueTask<IReadOnlyList<Removal>> RemoveAsync(IReadOnlyList<DirectorySession> sessions, CancellationToken cancellationToken)
    {
        var results = new Removal[sessions.Count];
        await ForPagesAsync(sessions, session => session.UserId, async (bucket, page) =>
        {
            var answers = (RedisResult[])(await redis.EvaluateAsync(
                RedisScript.Remove,
                [keys.Sessions(bucket), keys.LastSeen(bucket)],
                [_keepLastSeen, .. page.SelectMany(i => Arguments(sessions[i]))],
                cancellationToken).ConfigureAwait(false))!;
            for (var n = 0; n < page.Length; n++)
            {
                var answer = (RedisResult[])answers[n]!;
                results[page[n]] = new Removal((int)answer[0] == 1, (int)answer[1]);
            }
        }).ConfigureAwait(false);
        return results;
    }

    public async ValueTask<IReadOnlyList<UserSessions>> FindAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        var results = new UserSessions[userIds.Count];
        await ForPagesAsync(userIds, userId => userId, async (bucket, page) =>
        {
            var answers = (RedisResult[])(await redis.EvaluateAsync(
                RedisScript.Find, [keys.Sessions(bucket), keys.LastSeen(bucket)], [.. page.Select(i => (RedisValue)userIds[i])], cancellationToken)
                .ConfigureAwait(false))!;
            for (var n = 0; n < page.Length; n++)
            {
                results[page[n]] = User(userIds[page[n]], (string)answers[2 * n]!, (string)answers[(2 * n) + 1]!);
            }
        }).ConfigureAwait(false);
        return results;
    }

    public async ValueTask<OnlinePage> ListAsync(string? cursor, int limit, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var place = ListCursor.Parse(cursor);
        var users = new List<UserSessions>();
        while (place.Bucket < RedisKeys.Buckets)
        {
            var answer = (RedisResult[])(await redis.EvaluateAsync(
                RedisScript.List,
                [keys.Sessions(place.Bucket), keys.LastSeen(place.Bucket)],
                [place.Scan, Math.Min(limit, PageSize)],
                cancellationToken).ConfigureAwait(false))!;
            var page = new List<UserSessions>();
            for (var i = 1; i < answer.Length; i += 3)
            {
                page.Add(User((string)answer[i]!, (string)answer[i + 1]!, (string)answer[i + 2]!));
            }

            // Redis decides how much a scan returns: the rest of it is for the next page, in an order that stays when somebody comes or goes.
            foreach (var user in page.Where(user => string.CompareOrdinal(user.UserId, place.After) > 0).OrderBy(user => user.UserId, StringComparer.Ordinal))
            {
                if (users.Count == limit)
                {
                    return new OnlinePage(users, (place with { After = users[^1].UserId }).ToString());
                }

                users.Add(user);
            }

            var next = (string)answer[0]!;
            place = next == "0" ? new ListCursor(place.Bucket + 1, "0", "") : new ListCursor(place.Bucket, next, "");
            if (users.Count == limit)
            {
                return new OnlinePage(users, place.Bucket < RedisKeys.Buckets ? place.ToString() : null);
            }
        }

        return new OnlinePage(users, null);
    }

    private async Task<RedisResult[]> RegisterAsync(int bucket, RedisValue[] sessions, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var sent = _clock.Now;
            var answers = (RedisResult[])(await redis.EvaluateAsync(
                RedisScript.Register, [keys.Sessions(bucket), keys.Ticket(bucket)], [_clock.Deadline(), .. sessions], cancellationToken)
                .ConfigureAwait(false))!;
            _clock.Learn(sent, Records.Number((string)answers[0]!));
            if (answers.Length > 1)
            {
                return answers;
            }

            // It answers in time, so its clock was set, or another server has taken over: now we know its time.
        }

        throw new ImClusterException("Redis was too late with a registration.");
    }

    // In order within a bucket, buckets side by side.
    private static Task ForPagesAsync<T>(IReadOnlyList<T> items, Func<T, string> userId, Func<int, int[], Task> run)
    {
        if (items.Count == 1)
        {
            return run(RedisKeys.Bucket(userId(items[0])), [0]);
        }

        return Task.WhenAll(Enumerable.Range(0, items.Count)
            .GroupBy(i => RedisKeys.Bucket(userId(items[i])))
            .Select(async bucket =>
            {
                foreach (var page in bucket.Chunk(PageSize))
                {
                    await run(bucket.Key, page).ConfigureAwait(false);
                }
            }));
    }

    private static RedisValue[] Arguments(DirectorySession session) => [session.UserId, Records.Pack(session)];

    // A score is a double; milliseconds fit into it.
    private static UserSessions User(string userId, string packed, string lastSeen) =>
        new(userId, Records.Sessions(userId, packed), (long)double.Parse(lastSeen, System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Where a listing goes on: the bucket, HSCAN's cursor in it, and the last user of that scan's page that was returned.</summary>
    private readonly record struct ListCursor(int Bucket, string Scan, string After)
    {
        public static ListCursor Parse(string? text)
        {
            if (text is null)
            {
                return new ListCursor(0, "0", "");
            }

            var parts = text.Split(':', 3);
            return parts.Length == 3 && int.TryParse(parts[0], out var bucket) && bucket >= 0 && ulong.TryParse(parts[1], out _)
                ? new ListCursor(bucket, parts[1], parts[2])
                : throw new ArgumentException("This cursor is of no listing of this directory; pass null to begin.", nameof(text));
        }

        public override string ToString() => $"{Records.Text(Bucket)}:{Scan}:{After}";
    }
}
