using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Im.Model;
using Im.Protocol;
using Im.Storage;

namespace Im.Messaging;

/// <summary>Content between the host's model and the wire, its stored form, and its hash.</summary>
internal static class ContentMapping
{
    public static MessageContent ToModel(Content content) => new()
    {
        ContentType = content.ContentType,
        Text = content.Text,
        Data = content.Data.Memory,
        Mentions = [.. content.Mentions],
    };

    public static Content ToWire(MessageContent content)
    {
        // The host may reuse its buffer; what is stored may not change.
        var wire = new Content { ContentType = content.ContentType, Text = content.Text, Data = ByteString.CopyFrom(content.Data.Span) };
        if (!content.Mentions.IsDefaultOrEmpty)
        {
            wire.Mentions.AddRange(content.Mentions);
        }

        return wire;
    }

    /// <summary>The stored body of a message.</summary>
    public static byte[] ToBody(Content content) => new Entry { Content = content }.ToByteArray();

    /// <summary>The content of a stored body; null for a change.</summary>
    public static MessageContent? FromBody(ReadOnlyMemory<byte> body)
    {
        var entry = Entry.Parser.ParseFrom(body.Span);
        return entry.BodyCase == Entry.BodyOneofCase.Content ? ToModel(entry.Content) : null;
    }

    /// <summary>
    /// Covers the message as the client sent it: conversation, type, text, data, mentions and flags, each with its length in front, independent of
    /// the codec.
    /// </summary>
    public static ContentHash Hash(string conversationId, Content content, bool nonPersistent)
    {
        // A message object is the simplest writer of lengths and values; unknown fields of a newer client are part of what it sent.
        var canonical = new Send { ConversationId = conversationId, Content = content, NonPersistent = nonPersistent };
        return ContentHash.Of(canonical.ToByteArray());
    }
}
