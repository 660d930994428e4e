using System.Text.Json;
using System.Text.Unicode;

namespace Im.Protocol.Codecs;

/// <summary>Turns proto3 JSON into protobuf bytes for the generated parser; allocates nothing but the pooled output.</summary>
internal static class JsonToWire
{
    // A name is at most this long when each of its characters is escaped.
    private const int MaxEscapedNameBytes = 384;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = PacketCodec.MaxDepth };

    /// <summary>Null when the bytes are one JSON object of this schema, which is then in <paramref name="output"/>.</summary>
    public static PacketProblem? Convert(MessageSchema schema, ReadOnlySpan<byte> json, WireBuffer output)
    {
        var reader = new Utf8JsonReader(json, Options);
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return new PacketProblem("a packet must be a JSON object");
            }

            if (ReadObject(ref reader, schema, output) is { } problem)
            {
                return problem;
            }

            // Throws when something follows the object.
            reader.Read();
        }
        catch (JsonException e)
        {
            return IsTooDeep(ref reader, json)
                ? new PacketProblem($"nested deeper than {PacketCodec.MaxDepth}")
                : new PacketProblem($"malformed JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}");
        }

        // The reader looks into the strings of known fields only, but the text is UTF-8 as a whole or no JSON.
        return Utf8.IsValid(json) ? null : new PacketProblem("the JSON " + PacketProblem.NotUtf8);
    }

    // The reader's exceptions differ in their text only.
    private static bool IsTooDeep(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        var open = reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray ? 1 : 0;
        return reader.CurrentDepth + open >= PacketCodec.MaxDepth && reader.BytesConsumed < json.Length
            && json[(int)reader.BytesConsumed] is (byte)'[' or (byte)'{';
    }

    private static PacketProblem? ReadObject(ref Utf8JsonReader reader, MessageSchema schema, WireBuffer output)
    {
        ulong fields = 0;
        ulong oneofs = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!TryFindField(ref reader, schema, out var field))
            {
                return new PacketProblem("a name " + PacketProblem.NotUtf8);
            }

            reader.Read();
            if (field is null)
            {
                reader.Skip();
                continue;
            }

            if ((fields & (1UL << field.Index)) != 0)
            {
                return new PacketProblem("is given twice").In(field);
            }

            fields |= 1UL << field.Index;
            if (reader.TokenType == JsonTokenType.Null)
            {
                continue;
            }

            if (field.OneofIndex >= 0)
            {
                if ((oneofs & (1UL << field.OneofIndex)) != 0)
                {
                    return new PacketProblem("excludes another field that is given").In(field);
                }

                oneofs |= 1UL << field.OneofIndex;
            }

            var problem = field.Repeated ? ReadArray(ref reader, field, output) : ReadValue(ref reader, field, output);
            if (problem is not null)
            {
                return problem.In(field);
            }
        }

        return null;
    }

    private static bool TryFindField(ref Utf8JsonReader reader, MessageSchema schema, out FieldSchema? field)
    {
        field = null;
        if (!reader.ValueIsEscaped)
        {
            field = schema.Find(reader.ValueSpan);
            return true;
        }

        if (reader.ValueSpan.Length > MaxEscapedNameBytes)
        {
            return true;
        }

        Span<byte> name = stackalloc byte[MaxEscapedNameBytes];
        if (!JsonValues.TryCopyString(ref reader, name, out var length))
        {
            return false;
        }

        field = schema.Find(name[..length]);
        return true;
    }

    private static PacketProblem? ReadArray(ref Utf8JsonReader reader, FieldSchema field, WireBuffer output)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return new PacketProblem("must be an array");
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (ReadValue(ref reader, field, output) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static PacketProblem? ReadValue(ref Utf8JsonReader reader, FieldSchema field, WireBuffer output)
    {
        output.WriteVarint(field.Tag);
        switch (field.Kind)
        {
            case FieldKind.Message when reader.TokenType == JsonTokenType.StartObject:
                var start = output.BeginLength();
                var problem = ReadObject(ref reader, field.Message!, output);
                output.EndLength(start);
                return problem;

            case FieldKind.String when reader.TokenType == JsonTokenType.String:
                return JsonValues.TryWriteString(ref reader, output) ? null : new PacketProblem(PacketProblem.NotUtf8);

            case FieldKind.Bytes when reader.TokenType == JsonTokenType.String:
                return JsonValues.TryWriteBase64(ref reader, output) ? null : new PacketProblem("is not valid base64");

            case FieldKind.Bool when reader.TokenType is JsonTokenType.True or JsonTokenType.False:
                output.WriteVarint(reader.TokenType == JsonTokenType.True ? 1UL : 0UL);
                return null;

            case FieldKind.Enum when reader.TokenType == JsonTokenType.String:
                if (!JsonValues.TryGetEnum(ref reader, field.Enum!, out var number))
                {
                    return new PacketProblem("is not a known name");
                }

                output.WriteVarint((ulong)(long)number);
                return null;

            case FieldKind.Int32 or FieldKind.UInt32 or FieldKind.Int64 or FieldKind.Enum
                when JsonValues.TryGetInteger(ref reader, out var value):
                var inRange = field.Kind switch
                {
                    FieldKind.Int64 => true,
                    FieldKind.UInt32 => value is >= 0 and <= uint.MaxValue,
                    _ => value is >= int.MinValue and <= int.MaxValue,
                };
                output.WriteVarint((ulong)value);
                return inRange ? null : new PacketProblem(field.Expected);

            default:
                return new PacketProblem(field.Expected);
        }
    }
}
