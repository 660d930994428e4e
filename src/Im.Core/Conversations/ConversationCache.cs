using Im.Fanout;
using Im.Model;
using Im.Storage;
using Microsoft.Extensions.Options;

namespace Im.Conversations;

/// <summary>The conversations that messages are sent to, with their members. A stale one costs a retry of an append, never a lost or leaked message.</summary>
internal sealed class ConversationCache(IGroupStore groups, FanoutStrategies strategies, IOptions<ImServerOptions> options)
{
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

        var group = (await groups.GetGroupsAsync([conversationId], cancellationToken))[0];
        if (group is null)
        {
            return null;
        }

        var loaded = new ConversationInfo(
            conversationId, group.Version, group.Members, strategies.Get(group.Fanout).WritesInboxes, group);

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
