using System.Collections.Immutable;
using Im.Model;
using Im.Timelines;

namespace Im.Storage;

/// <summary>One message or change, as it goes into <see cref="IMessageStore.AppendAsync"/>.</summary>
public sealed class AppendItem
{
    /// <summary>The conversation that the entry belongs to.</summary>
    public required string ConversationId { get; init; }

    /// <summary>Who sends; with <see cref="ClientMessageId"/> the key of deduplication.</summary>
    public required string SenderId { get; init; }

    /// <summary>The device it was sent from; empty for the host's own sends.</summary>
    public string SenderDeviceId { get; init; } = "";

    /// <summary>Unique for the sender, 1–64 bytes.</summary>
    public required string ClientMessageId { get; init; }

    /// <summary>Covers the fields as the client sent them; another hash under the same id is refused.</summary>
    public required ContentHash Hash { get; init; }

    /// <summary>Server time, unix milliseconds UTC.</summary>
    public required long TimeMs { get; init; }

    /// <summary>The membership version that the item was validated and fanned out against; 0 in direct and own conversations.</summary>
    public required long ExpectedVersion { get; init; }

    /// <summary>What kind of entry it is.</summary>
    public required EntryKind Kind { get; init; }

    /// <summary>
    /// The entry's body as protobuf: an <c>im.v1.Entry</c> with nothing but its <c>body</c> set, so that header fields followed by these bytes
    /// are the whole entry. The bytes never change after the call.
    /// </summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Whether the entry raises the conversation's ordinal, that is, whether it counts as unread.</summary>
    public bool CountsAsUnread { get; init; }

    /// <summary>Old history: not the sender's last own message for the unread count.</summary>
    public bool IsImported { get; init; }

    /// <summary>The inboxes that get the entry.</summary>
    public required Audience Audience { get; init; }

    /// <summary>What the entry changes besides being appended; null for a message.</summary>
    public ConversationChange? Change { get; init; }

    /// <summary>The members of a direct or own conversation that this item creates: its audience or, where it has none, the users whom the id names.</summary>
    public ImmutableArray<string> GetFirstMembers()
    {
        if (!Audience.UserIds.IsDefaultOrEmpty)
        {
            return Audience.UserIds;
        }

        return Model.ConversationId.GetUsers(ConversationId);
    }

    /// <summary>The entry that the item becomes at a place in its conversation.</summary>
    public StoredEntry ToEntry(ConversationSeq seq, long ordinal) => new()
    {
        ConversationId = ConversationId,
        Seq = seq,
        Ordinal = ordinal,
        SenderId = SenderId,
        SenderDeviceId = SenderDeviceId,
        ClientMessageId = ClientMessageId,
        TimeMs = TimeMs,
        Kind = Kind,
        Body = Body,
    };
}
