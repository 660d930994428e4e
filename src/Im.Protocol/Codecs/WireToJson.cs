using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;

namespace Im.Protocol.Codecs;

/// <summary>Writes canonical protobuf bytes as proto3 JSON: fields ascending, each once, repeated fields together.</summary>
internal static class WireToJson
{
    // Relaxed: emoji and Chinese stay as they are. Nothing here is put into HTML by the server.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    // A writer is 200 bytes; each thread keeps one while it is not used.
    [ThreadStatic]
    private static Utf8JsonWriter? _kept;

    public static void Convert(MessageSchema schema, ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        var writer = _kept;
        _kept = null;
        if (writer is null)
        {
            writer = new Utf8JsonWriter(output, Options);
        }
        else
        {
            writer.Reset(output);
        }

        WriteMessage(schema, bytes, writer);
        writer.Flush();

        // The output is the caller's: do not keep it alive.
        writer.Reset(Stream.Null);
        _kept = writer;
    }

    private static void WriteMessage(MessageSchema schema, ReadOnlySpan<byte> bytes, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        FieldSchema? openArray = null;
        var reader = new WireReader(bytes);
        while (!reader.AtEnd)
        {
            Require(reader.TryReadTag(out var number, out var wireType));
            var field = schema.Find(number);
            if (field is null)
            {
                Require(reader.TrySkip(wireType));
                continue;
            }

            if (openArray is not null && openArray != field)
            {
                writer.WriteEndArray();
                openArray = null;
            }

            if (field.Repeated && openArray is null)
            {
                writer.WritePropertyName(field.EncodedName);
                writer.WriteStartArray();
                openArray = field;
            }

            if (field.WireType == WireFormat.WireType.Varint)
            {
                Require(reader.TryReadVarint(out var value));
                WriteNumber(field, value, writer);
            }
            else
            {
                Require(reader.TryReadBytes(out var value));
                WriteBytes(field, value, writer);
            }
        }

        if (openArray is not null)
        {
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    private static void WriteNumber(FieldSchema field, ulong value, Utf8JsonWriter writer)
    {
        if (value == 0 && !field.HasPresence)
        {
            return;
        }

        writer.WritePropertyName(field.EncodedName);
        switch (field.Kind)
        {
            case FieldKind.Bool:
                writer.WriteBooleanValue(value != 0);
                break;
            case FieldKind.UInt32:
                writer.WriteNumberValue((uint)value);
                break;
            case FieldKind.Int64:
                // As a string: JavaScript's numbers have 53 bits.
                Span<byte> digits = stackalloc byte[20];
                Utf8Formatter.TryFormat((long)value, digits, out var length);
                writer.WriteStringValue(digits[..length]);
                break;
            case FieldKind.Enum when field.Enum!.TryGetName((int)value, out var name):
                writer.WriteStringValue(name);
                break;
            default:
                writer.WriteNumberValue((int)value);
                break;
        }
    }

    private static void WriteBytes(FieldSchema field, ReadOnlySpan<byte> value, Utf8JsonWriter writer)
    {
        if (!field.Repeated)
        {
            if (value.IsEmpty && !field.HasPresence)
            {
                return;
            }

            writer.WritePropertyName(field.EncodedName);
        }

        switch (field.Kind)
        {
            case FieldKind.String:
                writer.WriteStringValue(value);
                break;
            case FieldKind.Bytes:
                writer.WriteBase64StringValue(value);
                break;
            default:
                WriteMessage(field.Message!, value, writer);
                break;
        }
    }

    private static void Require(bool read)
    {
        if (!read)
        {
            throw new InvalidDataException("The bytes are not as the generated serializer writes them.");
        }
    }
}
