using System.Collections.Immutable;
using Im.Storage;

namespace Im.Conversations;

/// <summary>What a send needs to know of a conversation, at one membership version. Immutable.</summary>
/// <remarks>The members of a large group with fan-out on read are not here: who sends is looked up, see <see cref="LargeGroupMembers"/>.</remarks>
internal sealed class ConversationInfo
{
    public ConversationInfo(
        string conversationId, long version, ImmutableArray<string> members, bool writesInboxes, StoredGroup? group = null)
    {
        ConversationId = conversationId;
        Version = version;
        Members = members;
        MemberCount = group?.MemberCount ?? members.Length;
        WritesInboxes = writesInboxes;
        Group = group;
        Audience = writesInboxes ? new Audience(members) : Audience.None;
    }

    public string ConversationId { get; }

    /// <summary>The membership version; always 0 in direct and own conversations.</summary>
    public long Version { get; }

    /// <summary>Sorted by <see cref="StringComparer.Ordinal"/>; <c>default</c> for a large group with fan-out on read.</summary>
    public ImmutableArray<string> Members { get; }

    /// <summary>Whether the members are known here.</summary>
    public bool HasMembers => !Members.IsDefault;

    public int MemberCount { get; }

    /// <summary>Whether messages are appended to the members' inboxes.</summary>
    public bool WritesInboxes { get; }

    /// <summary>The inboxes that a message goes to: one object for all messages of this version.</summary>
    public Audience Audience { get; }

    /// <summary>The group, or null.</summary>
    public StoredGroup? Group { get; }

    /// <summary>Whether the user is a member; null = it has to be looked up.</summary>
    public bool? IsMember(string userId) => HasMembers ? Members.BinarySearch(userId, StringComparer.Ordinal) >= 0 : null;
}
