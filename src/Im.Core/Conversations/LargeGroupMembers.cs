using Im.Cluster;
using Im.Diagnostics;
using Im.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Conversations;

/// <summary>Who is a member of a large group, without ever holding all of them: asked for the users who send.</summary>
/// <remarks>
/// <code>
///  this node's memory ─▶ the nodes' shared cache ─▶ the store: one look-up
///   (some users, one       (all members, one           │
///    version)               version)  ◀── filled page by page in the background
/// </code>
/// Each answer is of exactly one version, so that an append for that version can rely on it.
/// </remarks>
internal sealed class LargeGroupMembers(
    IGroupStore groups,
    IGroupMemberCache shared,
    GroupMemberFiller filler,
    TimeProvider time,
    IOptions<ImServerOptions> options,
    ILogger<LargeGroupMembers> logger)
{
    // A shared cache that has failed is left alone for so long: each look-up might wait for its timeout.
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private readonly BoundedCache<KnownMembers> _known = new(options.Value.MaxCachedConversations);
    private long _failedAt;
    private volatile bool _hasFailed;

    /// <summary>What is known in this process; null = nothing.</summary>
    public bool? Find(ConversationInfo info, string userId) =>
        _known.TryGet(info.ConversationId, out var known) ? known.Find(info.Version, userId) : null;

    /// <summary>
    /// Looks the users up; the answer may be of a newer version than the one asked for. Null = there is no such group. <paramref name="isLane"/>: the
    /// commit lane depends on the store already, and waits for nothing else.
    /// </summary>
    public async ValueTask<FoundMembers?> FindAsync(
        ConversationInfo info, IReadOnlyList<string> userIds, bool isLane, CancellationToken cancellationToken)
    {
        if (!isLane && await FindSharedAsync(info, userIds, cancellationToken) is { } held)
        {
            Remember(info.ConversationId, info.Version, userIds, held);
            return new FoundMembers(info.Version, held);
        }

        if (userIds.Count == 1)
        {
            filler.WantFill(info.ConversationId, info.Version);
        }

        var found = await groups.FindMembersAsync(info.ConversationId, userIds, cancellationToken);
        if (found is { } answer)
        {
            Remember(info.ConversationId, answer.Version, userIds, answer.IsMember);
        }

        return found;
    }

    /// <summary>A change was stored, which made the given version of the one before.</summary>
    public void Changed(string conversationId, long version, ConversationChange change)
    {
        var (added, removed) = change is ConversationChange.ChangeMembers members ? (members.Added, members.Removed) : ([], []);
        if (_known.TryGet(conversationId, out var known))
        {
            known.Change(version - 1, added, removed);
        }

        filler.Change(conversationId, version - 1, added, removed, isDissolved: change is ConversationChange.DissolveGroup);
    }

    private async ValueTask<IReadOnlyList<bool>?> FindSharedAsync(
        ConversationInfo info, IReadOnlyList<string> userIds, CancellationToken cancellationToken)
    {
        if (_hasFailed && time.GetElapsedTime(Interlocked.Read(ref _failedAt)) < PauseAfterFailure)
        {
            return null;
        }

        try
        {
            _hasFailed = false;
            return await shared.FindAsync(info.ConversationId, info.Version, userIds, cancellationToken);
        }
        catch (ImClusterException exception)
        {
            Interlocked.Exchange(ref _failedAt, time.GetTimestamp());
            _hasFailed = true;
            Log.MemberCacheFailed(logger, info.ConversationId, exception);
            return null;
        }
    }

    private void Remember(string conversationId, long version, IReadOnlyList<string> userIds, IReadOnlyList<bool> isMember)
    {
        // Only senders, one by one, are worth remembering.
        if (userIds.Count > 1)
        {
            return;
        }

        if (!_known.TryGet(conversationId, out var known))
        {
            known = _known.Set(conversationId, new KnownMembers(options.Value.MaxCachedGroupMembers), static (before, _) => before);
        }

        known.Set(version, userIds[0], isMember[0]);
    }
}
