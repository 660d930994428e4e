using System.Buffers;
using Google.Protobuf;

namespace Im.Protocol.Codecs;

/// <summary>Writes canonical protobuf bytes as proto3 JSON: fields ascending, each once, repeated fields together.</summary>
internal static class WireToJson
{
    public static void Convert(MessageSchema schema, ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        var json = new JsonOutput(output);
        WriteMessage(schema, bytes, ref json);
        json.Flush();
    }

    private static void WriteMessage(MessageSchema schema, ReadOnlySpan<byte> bytes, ref JsonOutput json)
    {
        json.Open((byte)'{');
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
                json.Close((byte)']');
                openArray = null;
            }

            if (field.Repeated && openArray is null)
            {
                json.Name(field.QuotedName);
                json.Open((byte)'[');
                openArray = field;
            }

            if (field.WireType == WireFormat.WireType.Varint)
            {
                Require(reader.TryReadVarint(out var value));
                WriteNumber(field, value, ref json);
            }
            else
            {
                Require(reader.TryReadBytes(out var value));
                WriteBytes(field, value, ref json);
            }
        }

        if (openArray is not null)
        {
            json.Close((byte)']');
        }

        json.Close((byte)'}');
    }

    private static void WriteNumber(FieldSchema field, ulong value, ref JsonOutput json)
    {
        if (value == 0 && !field.HasPresence)
        {
            return;
        }

        json.Name(field.QuotedName);
        switch (field.Kind)
        {
            case FieldKind.Bool:
                json.Raw(value != 0 ? "true"u8 : "false"u8);
                break;
            case FieldKind.UInt32:
                json.Number((long)value, quoted: false);
                break;
            case FieldKind.Int64:
                // As a string: JavaScript's numbers have 53 bits.
                json.Number((long)value, quoted: true);
                break;
            case FieldKind.Enum when field.Enum!.TryGetName((int)value, out var name):
                json.Raw(name);
                break;
            default:
                json.Number((int)value, quoted: false);
                break;
        }
    }

    private static void WriteBytes(FieldSchema field, ReadOnlySpan<byte> value, ref JsonOutput json)
    {
        if (!field.Repeated)
        {
            if (value.IsEmpty && !field.HasPresence)
            {
                return;
            }

            json.Name(field.QuotedName);
        }

        switch (field.Kind)
        {
            case FieldKind.String:
                json.String(value);
                break;
            case FieldKind.Bytes:
                json.Base64String(value);
                break;
            default:
                WriteMessage(field.Message!, value, ref json);
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
