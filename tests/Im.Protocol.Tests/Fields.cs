using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Im.Protocol.Tests;

/// <summary>Walks the descriptors to every field of a packet, and puts a value of one field into an otherwise empty packet.</summary>
internal static class Fields
{
    public static IEnumerable<(FieldDescriptor[] Path, FieldDescriptor Field)> Of(MessageDescriptor descriptor) => Of(descriptor, []);

    public static string Name(FieldDescriptor[] path) => string.Join('.', path.Select(field => field.JsonName));

    /// <summary>The packet in protobuf: <paramref name="value"/> follows the last field's tag.</summary>
    public static byte[] InProtobuf(FieldDescriptor[] path, WireFormat.WireType wireType, byte[] value)
    {
        var bytes = Concat(Varint(WireFormat.MakeTag(path[^1].FieldNumber, wireType)), value);
        foreach (var field in path.SkipLast(1).Reverse())
        {
            bytes = Concat(Varint(WireFormat.MakeTag(field.FieldNumber, WireFormat.WireType.LengthDelimited)), Delimited(bytes));
        }

        return bytes;
    }

    /// <summary>The packet in JSON: <paramref name="value"/> is the last field's value, or its only element.</summary>
    public static byte[] InJson(FieldDescriptor[] path, byte[] value)
    {
        foreach (var field in path.Reverse())
        {
            value = field.IsRepeated ? Concat("["u8.ToArray(), value, "]"u8.ToArray()) : value;
            value = Concat(Encoding.UTF8.GetBytes($"{{\"{field.JsonName}\":"), value, "}"u8.ToArray());
        }

        return value;
    }

    public static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        bytes.Add((byte)value);
        return [.. bytes];
    }

    public static byte[] Delimited(byte[] bytes) => Concat(Varint((ulong)bytes.Length), bytes);

    public static byte[] Concat(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    private static IEnumerable<(FieldDescriptor[] Path, FieldDescriptor Field)> Of(MessageDescriptor descriptor, FieldDescriptor[] above)
    {
        foreach (var field in descriptor.Fields.InFieldNumberOrder())
        {
            FieldDescriptor[] path = [.. above, field];
            yield return (path, field);
            if (field.FieldType == FieldType.Message)
            {
                foreach (var inner in Of(field.MessageType, path))
                {
                    yield return inner;
                }
            }
        }
    }
}
