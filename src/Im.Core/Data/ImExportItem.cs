using Im.Conversations;
using Im.Devices;
using Im.Model;
using Im.Storage;

namespace Im.Data;

/// <summary>One piece of a user's data.</summary>
public abstract record ImExportItem
{
    private ImExportItem()
    {
    }

    /// <summary>A device that has signed in.</summary>
    public sealed record Device(ImDevice Value) : ImExportItem;

    /// <summary>A conversation that the user is or was in; its entries follow.</summary>
    /// <param name="ConversationId">Its id.</param>
    /// <param name="Stays">From which entry to which the user was a member; the last one may be open.</param>
    /// <param name="Current">The conversation with mark and unread count, as the user sees it now; null for the own one and where the user has left.</param>
    public sealed record Conversation(string ConversationId, IReadOnlyList<Membership> Stays, ImConversation? Current) : ImExportItem;

    /// <summary>An entry of the conversation before it.</summary>
    public sealed record Entry(ImEntry Value) : ImExportItem;
}
