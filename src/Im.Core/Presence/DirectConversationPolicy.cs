using Im.Model;
using Im.Storage;

namespace Im.Presence;

/// <summary>The default: who has a direct conversation with whom, and the members of a conversation among themselves.</summary>
internal sealed class DirectConversationPolicy(IConversationStore store) : IPresencePolicy
{
    private const int Slice = 200;

    public async ValueTask<IReadOnlyCollection<string>> FindVisibleAsync(
        string userId, IReadOnlyList<string> targetIds, string? conversationId, CancellationToken cancellationToken)
    {
        if (conversationId is not null)
        {
            return targetIds;
        }

        var visible = new List<string>();
        foreach (var slice in targetIds.Chunk(Slice))
        {
            var found = await store.GetAsync(userId, Array.ConvertAll(slice, other => ConversationId.Direct(userId, other)), cancellationToken);
            visible.AddRange(slice.Where((_, index) => found[index] is not null));
        }

        return visible;
    }
}
