using Im.Fanout;
using Im.Messaging;
using Im.Model;
using Im.Storage;
using Microsoft.Extensions.Options;

namespace Im.Conversations;

/// <summary>
/// The conversations that messages are sent to, with their members or, of large groups, with a way to look them up. A stale one costs a retry of an
/// append, never a lost or leaked message.
/// </summary>
internal sealed class ConversationCache(
    IGroupStore groups, LargeGroupMembers largeGroups, FanoutStrategies strategies, IOptions<ImServerOptions> options)
{
    // How often a member is looked up again because the group has changed meanwhile.
    private const int MaxLookups = 8;

    private readonly BoundedCache<ConversationInfo> _cache = new(options.Value.MaxCachedConversations);

    /// <summary>The conversation as it was last seen, without asking the store.</summary>
    public ConversationInfo? Find(string conversationId) =>
        _cache.TryGet(conversationId, out var info) ? info : Derive(conversationId);

    /// <summary>The conversation, or null where there is none.</summary>
    public async ValueTask<ConversationInfo?> GetAsync(string conversationId, CancellationToken cancellationToken) =>
        Find(conversationId) ?? await ReloadAsync(conversationId, cancellationToken);

    /// <summary>The conversation as the store has it now.</summary>
    public async ValueTask<ConversationInfo?> ReloadAsync(string conversationId, CancellationToken cancellationToken)
    {
        if (!ConversationId.IsGroup(conversationId))
        {
            return Derive(conversationId);
        }

        if (await LoadAsync(conversationId, cancellationToken) is not { } loaded)
        {
            return null;
        }

        // Two loads may end in the wrong order; the newer version stays.
        return _cache.Set(conversationId, loaded, static (known, loaded) => known.Version < loaded.Version ? loaded : known);
    }

    /// <summary>Another node has changed the conversation: what is older than that version is forgotten.</summary>
    public void Invalidate(string conversationId, long version)
    {
        if (_cache.TryGet(conversationId, out var known) && known.Version < version)
        {
            _cache.Remove(conversationId);
        }
    }

    /// <summary>Other nodes may have changed any conversation: all are read again when they are needed.</summary>
    public void InvalidateAll() => _cache.Clear();

    /// <summary>Which of the users are members at exactly the version of the conversation that is returned, which may be newer than the one given.</summary>
    public async ValueTask<(ConversationInfo Info, IReadOnlyList<bool> IsMember)> FindMembersAsync(
        ConversationInfo info, IReadOnlyList<string> userIds, bool isLane, CancellationToken cancellationToken)
    {
        for (var lookup = 0; lookup < MaxLookups; lookup++)
        {
            if (info.HasMembers)
            {
                return (info, [.. userIds.Select(userId => info.IsMember(userId)!.Value)]);
            }

            // Who sends or types was looked up a moment ago.
            if (userIds.Count == 1 && largeGroups.Find(info, userIds[0]) is { } known)
            {
                return (info, [known]);
            }

            if (await largeGroups.FindAsync(info, userIds, isLane, cancellationToken) is { } found && found.Version == info.Version)
            {
                return (info, found.IsMember);
            }

            info = await ReloadAsync(info.ConversationId, cancellationToken)
                ?? throw new ImStorageException($"The group {info.ConversationId} is no longer there.");
        }

        throw new ImStorageException($"The group {info.ConversationId} changed {MaxLookups} times while its members were looked up.");
    }

    /// <summary>Looks a large group's sender up and notes the version at which it is a member. Returns the conversation as it is known after that.</summary>
    public async ValueTask<ConversationInfo> FindSenderAsync(
        ConversationInfo info, PendingMessage message, bool isLane, CancellationToken cancellationToken)
    {
        if (largeGroups.Find(info, message.SenderId) is { } known)
        {
            message.SenderVersion = known ? info.Version : 0;
            return info;
        }

        (info, var isMember) = await FindMembersAsync(info, [message.SenderId], isLane, cancellationToken);
        message.SenderVersion = isMember[0] ? info.Version : 0;
        return info;
    }

    /// <summary>A change was stored: what is known of a large group's members at the version before is carried over to the next one.</summary>
    public void Changed(string conversationId, long version, ConversationChange change)
    {
        if (_cache.TryGet(conversationId, out var before) && !before.HasMembers)
        {
            largeGroups.Changed(conversationId, version, change);
        }
    }

    private async ValueTask<ConversationInfo?> LoadAsync(string conversationId, CancellationToken cancellationToken)
    {
        var group = (await groups.GetGroupsAsync([conversationId], options.Value.MaxCachedGroupMembers, cancellationToken))[0];
        if (group is { Members.IsDefault: true } && strategies.Get(group.Fanout).WritesInboxes)
        {
            // Every message goes to all of them.
            group = (await groups.GetGroupsAsync([conversationId], int.MaxValue, cancellationToken))[0];
        }

        return group is null
            ? null
            : new ConversationInfo(conversationId, group.Version, group.Members, strategies.Get(group.Fanout).WritesInboxes, group);
    }

    // Direct and own conversations are what their ids say; only the kept object's audience makes classes cheap.
    private ConversationInfo? Derive(string conversationId)
    {
        if (!ConversationId.IsOwn(conversationId) && !ConversationId.TryGetParties(conversationId, out _, out _))
        {
            return null;
        }

        var info = new ConversationInfo(conversationId, 0, ConversationId.GetUsers(conversationId), writesInboxes: true);
        _cache.Set(conversationId, info);
        return info;
    }
}
