using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using Im.Connections;
using Im.Protocol;
using Im.Timelines;

namespace Im.Sync;

/// <summary>Writes a push: a session's own few bytes in front of a shared payload, on the stack, so that nothing is allocated per recipient.</summary>
/// <remarks>
/// <code>
/// protobuf   5A len { 08 seq | 12 len id 18 seq } payload                    5A = the tag of ServerPacket.push
/// JSON       {"push":{"firstInboxSeq":"12","entries":[ payload ]}}
///            {"push":{"conversationId":"g:1","firstConversationSeq":"7","entries":[ payload ]}}
/// </code>
/// </remarks>
internal static class PushWriter
{
    private const byte ServerPacketPush = (11 << 3) | 2;
    private const byte FirstInboxSeq = 1 << 3;
    private const byte ConversationId = (2 << 3) | 2;
    private const byte FirstConversationSeq = 3 << 3;

    private const int MaxIdBytes = Model.ConversationId.MaxBytes;

    // JSON may escape every byte of an id, sixfold.
    private const int MaxHeaderBytes = (MaxIdBytes * 6) + 128;

    private static ReadOnlySpan<byte> JsonEnd => "]}}"u8;

    /// <summary>About what a push of this payload occupies in a queue.</summary>
    public static int Measure(PushPayload payload, ImCodec codec) => payload.Get(codec).Length + 64;

    public static void Write(IPacketWriter writer, ImCodec codec, TimelineKey timeline, long firstSeq, PushPayload payload)
    {
        var segments = payload.Get(codec);
        Span<byte> header = stackalloc byte[MaxHeaderBytes];
        var headerBytes = codec == ImCodec.Json
            ? WriteJsonHeader(header, timeline, firstSeq)
            : WriteProtobufHeader(header, timeline, firstSeq, segments.Length);

        writer.BeginPacket(headerBytes + segments.Length + (codec == ImCodec.Json ? JsonEnd.Length : 0));
        writer.Write(header[..headerBytes]);
        foreach (var segment in segments.Parts)
        {
            writer.WriteShared(segment);
        }

        if (codec == ImCodec.Json)
        {
            writer.Write(JsonEnd);
        }

        writer.EndPacket();
    }

    private static int WriteProtobufHeader(Span<byte> header, TimelineKey timeline, long firstSeq, int payloadBytes)
    {
        Span<byte> fields = stackalloc byte[MaxHeaderBytes];
        var fieldBytes = 0;
        if (timeline.Kind == TimelineKind.Conversation)
        {
            fields[fieldBytes++] = ConversationId;
            fieldBytes += PacketFraming.WritePrefix(fields[fieldBytes..], Encoding.UTF8.GetByteCount(timeline.Id));
            fieldBytes += Encoding.UTF8.GetBytes(timeline.Id, fields[fieldBytes..]);
            fields[fieldBytes++] = FirstConversationSeq;
        }
        else
        {
            fields[fieldBytes++] = FirstInboxSeq;
        }

        fieldBytes += Varint.Write(fields[fieldBytes..], (ulong)firstSeq);

        header[0] = ServerPacketPush;
        var position = 1 + PacketFraming.WritePrefix(header[1..], fieldBytes + payloadBytes);
        fields[..fieldBytes].CopyTo(header[position..]);
        return position + fieldBytes;
    }

    private static int WriteJsonHeader(Span<byte> header, TimelineKey timeline, long firstSeq)
    {
        var position = 0;
        Append(header, ref position, "{\"push\":{"u8);
        if (timeline.Kind == TimelineKind.Conversation)
        {
            Append(header, ref position, "\"conversationId\":\""u8);
            Span<byte> id = stackalloc byte[MaxIdBytes];
            id = id[..Encoding.UTF8.GetBytes(timeline.Id, id)];
            JavaScriptEncoder.Default.EncodeUtf8(id, header[position..], out _, out var escaped);
            position += escaped;
            Append(header, ref position, "\",\"firstConversationSeq\":\""u8);
        }
        else
        {
            Append(header, ref position, "\"firstInboxSeq\":\""u8);
        }

        Utf8Formatter.TryFormat(firstSeq, header[position..], out var digits);
        position += digits;
        Append(header, ref position, "\",\"entries\":["u8);
        return position;
    }

    private static void Append(Span<byte> destination, ref int position, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(destination[position..]);
        position += bytes.Length;
    }
}
