using Im.Sample.Chat.Data;

namespace Im.Sample.Chat.Pictures;

/// <summary>Who may see a picture: who uploaded it, and whoever is now a member of a conversation into which it was sent.</summary>
internal sealed class PictureAccess(ChatDatabase database, IServiceProvider services)
{
    public async ValueTask<bool> MayReadAsync(string userId, string hash, CancellationToken cancellationToken)
    {
        if (database.Query(
            "SELECT 1 FROM picture_owners WHERE user_id = $user AND hash = $hash", r => r.GetInt32(0), ("$user", userId), ("$hash", hash)).Count > 0)
        {
            return true;
        }

        // Asked for here and not in the constructor: IM itself needs the interceptor that needs this.
        var conversations = services.GetRequiredService<IImServer>().Conversations;
        foreach (var id in database.Query(
            "SELECT conversation_id FROM picture_conversations WHERE hash = $hash", r => r.GetString(0), ("$hash", hash)))
        {
            if (await conversations.GetAsync(userId, id, cancellationToken) is not null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Notes that the members of the conversation may see it.</summary>
    public void Share(string hash, string conversationId) => database.Execute(
        "INSERT OR IGNORE INTO picture_conversations (hash, conversation_id) VALUES ($hash, $conversation)",
        ("$hash", hash),
        ("$conversation", conversationId));
}
