using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Im.Protocol.Codecs;

namespace Im.Protocol;

/// <summary>Reads and writes packets in both codecs.</summary>
/// <remarks>
/// <para>Reading never throws for what the bytes contain, allocates nothing by a length that was not checked against the bytes that
/// are there, and gives the same answer to the same content in both codecs. Unknown fields are ignored; a packet of an unknown kind has
/// <c>PacketCase</c> None. A field that is given twice is refused in JSON; in protobuf the last one counts, as its specification says.</para>
/// <para>JSON is proto3's mapping: lowerCamelCase names (the names of the .proto are read too), integers of 64 bits as strings (numbers are
/// read too), enums by name (numbers are read too), bytes in base64 (the URL alphabet and no padding are read too), default values
/// omitted, null = absent.</para>
/// <para>All methods are safe to call from any thread.</para>
/// </remarks>
public static class PacketCodec
{
    /// <summary>How many objects and arrays may stand inside each other, unknown ones too. The packets need 8.</summary>
    /// <value>32.</value>
    internal const int MaxDepth = 32;

    /// <summary>Reads what a client sent.</summary>
    /// <param name="bytes">One packet; not used after the call.</param>
    /// <param name="codec">The connection's codec.</param>
    /// <param name="packet">The packet.</param>
    /// <param name="problem">For people: what is wrong, and in which field or at which byte; empty when nothing is.</param>
    /// <returns>False when the bytes are no packet.</returns>
    public static bool TryReadClientPacket(
        in ReadOnlySequence<byte> bytes, ImCodec codec, [NotNullWhen(true)] out ClientPacket? packet, out string problem) =>
        TryRead(bytes, codec, MessageSchema.ClientPacket, ClientPacket.Parser, out packet, out problem);

    /// <summary>Reads what a server sent.</summary>
    /// <inheritdoc cref="TryReadClientPacket"/>
    public static bool TryReadServerPacket(
        in ReadOnlySequence<byte> bytes, ImCodec codec, [NotNullWhen(true)] out ServerPacket? packet, out string problem) =>
        TryRead(bytes, codec, MessageSchema.ServerPacket, ServerPacket.Parser, out packet, out problem);

    /// <summary>The bytes of a packet.</summary>
    public static byte[] Write(ServerPacket packet, ImCodec codec) => Write(packet, codec, MessageSchema.ServerPacket);

    /// <summary>The bytes of a packet.</summary>
    public static byte[] Write(ClientPacket packet, ImCodec codec) => Write(packet, codec, MessageSchema.ClientPacket);

    /// <summary>Writes the protobuf bytes of one <see cref="Entry"/> as its JSON object, without building the entry.</summary>
    /// <param name="entry">The entry in protobuf.</param>
    /// <param name="output">Gets the JSON; nothing is written when the bytes are no entry.</param>
    /// <exception cref="ArgumentException">The bytes are no entry.</exception>
    public static void WriteEntryJson(ReadOnlySpan<byte> entry, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var validator = new WireValidator();
        if (validator.Check(MessageSchema.Entry, entry) is { } problem)
        {
            throw new ArgumentException($"The bytes are no entry: {problem}", nameof(entry));
        }

        if (validator.IsCanonical)
        {
            WireToJson.Convert(MessageSchema.Entry, entry, output);
        }
        else
        {
            // Somebody else's serializer: the parser merges what stands in several places.
            WriteJson(Entry.Parser.ParseFrom(entry), MessageSchema.Entry, output);
        }
    }

    private static bool TryRead<T>(
        in ReadOnlySequence<byte> bytes, ImCodec codec, MessageSchema schema, MessageParser<T> parser, out T? packet, out string problem)
        where T : class, IMessage<T>
    {
        if (bytes.IsSingleSegment)
        {
            return TryRead(bytes.FirstSpan, codec, schema, parser, out packet, out problem);
        }

        if (bytes.Length > Array.MaxLength)
        {
            (packet, problem) = (null, "too large");
            return false;
        }

        var length = (int)bytes.Length;
        var joined = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            bytes.CopyTo(joined);
            return TryRead(joined.AsSpan(0, length), codec, schema, parser, out packet, out problem);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(joined);
        }
    }

    private static bool TryRead<T>(
        ReadOnlySpan<byte> bytes, ImCodec codec, MessageSchema schema, MessageParser<T> parser, out T? packet, out string problem)
        where T : class, IMessage<T>
    {
        if (codec == ImCodec.Protobuf)
        {
            return TryParse(new WireValidator().Check(schema, bytes), bytes, parser, out packet, out problem);
        }

        using var wire = WireBuffer.Rent();
        return TryParse(JsonToWire.Convert(schema, bytes, wire), wire.Written, parser, out packet, out problem);
    }

    private static bool TryParse<T>(
        PacketProblem? found, ReadOnlySpan<byte> bytes, MessageParser<T> parser, out T? packet, out string problem)
        where T : class, IMessage<T>
    {
        packet = null;
        if (found is not null)
        {
            problem = found.ToString();
            return false;
        }

        try
        {
            packet = parser.ParseFrom(bytes);
            problem = "";
            return true;
        }
        catch (InvalidProtocolBufferException e)
        {
            // The checks before are stricter than the parser; this is for the day when they are not.
            problem = $"malformed protobuf: {e.Message}";
            return false;
        }
    }

    private static byte[] Write(IMessage packet, ImCodec codec, MessageSchema schema)
    {
        ArgumentNullException.ThrowIfNull(packet);
        if (codec == ImCodec.Protobuf)
        {
            return packet.ToByteArray();
        }

        using var json = WireBuffer.Rent();
        WriteJson(packet, schema, json);
        return json.Written.ToArray();
    }

    private static void WriteJson(IMessage message, MessageSchema schema, IBufferWriter<byte> output)
    {
        var size = message.CalculateSize();
        var wire = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            message.WriteTo(wire.AsSpan(0, size));
            WireToJson.Convert(schema, wire.AsSpan(0, size), output);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(wire);
        }
    }
}
