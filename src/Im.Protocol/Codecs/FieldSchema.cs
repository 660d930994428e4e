using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Im.Protocol.Codecs;

/// <summary>What the codecs know of one field. Immutable.</summary>
internal sealed class FieldSchema
{
    public FieldSchema(FieldDescriptor descriptor, int index, MessageSchema? message)
    {
        Kind = KindOf(descriptor);
        Index = index;
        Number = descriptor.FieldNumber;
        JsonName = descriptor.JsonName;
        JsonNameUtf8 = Encoding.UTF8.GetBytes(descriptor.JsonName);
        ProtoNameUtf8 = Encoding.UTF8.GetBytes(descriptor.Name);
        QuotedName = Encoding.UTF8.GetBytes($"\"{descriptor.JsonName}\":");
        Repeated = descriptor.IsRepeated;
        HasPresence = descriptor.HasPresence;
        OneofIndex = descriptor.ContainingOneof?.Index ?? -1;
        Message = message;
        Enum = Kind == FieldKind.Enum ? new EnumSchema(descriptor.EnumType) : null;
        WireType = Kind is FieldKind.String or FieldKind.Bytes or FieldKind.Message
            ? WireFormat.WireType.LengthDelimited
            : WireFormat.WireType.Varint;
        Tag = WireFormat.MakeTag(Number, WireType);
        Expected = Kind switch
        {
            FieldKind.Int32 or FieldKind.Enum => "must be an integer of 32 bits",
            FieldKind.UInt32 => "must be an unsigned integer of 32 bits",
            FieldKind.Int64 => "must be an integer of 64 bits",
            FieldKind.Bool => "must be true or false",
            FieldKind.String => "must be a string",
            FieldKind.Bytes => "must be bytes",
            _ => "must be an object",
        };
    }

    public FieldKind Kind { get; }

    /// <summary>The field's place in its message, for sets of bits.</summary>
    public int Index { get; }

    public int Number { get; }

    public string JsonName { get; }

    public byte[] JsonNameUtf8 { get; }

    public byte[] ProtoNameUtf8 { get; }

    /// <summary>The name in JSON with its quotes and colon.</summary>
    public byte[] QuotedName { get; }

    public bool Repeated { get; }

    /// <summary>Whether the default value, when it was given, is told from no value: members of a oneof and messages.</summary>
    public bool HasPresence { get; }

    /// <summary>The oneof in the message; −1 = none.</summary>
    public int OneofIndex { get; }

    public MessageSchema? Message { get; }

    public EnumSchema? Enum { get; }

    public WireFormat.WireType WireType { get; }

    public uint Tag { get; }

    /// <summary>For people: what a value of another type or range should have been. The same words in both codecs.</summary>
    public string Expected { get; }

    /// <summary>The kind of a field; <see cref="FieldKind.Unsupported"/> for what the codecs cannot write in either form.</summary>
    public static FieldKind KindOf(FieldDescriptor descriptor)
    {
        var kind = descriptor.FieldType switch
        {
            FieldType.Int32 => FieldKind.Int32,
            FieldType.UInt32 => FieldKind.UInt32,
            FieldType.Int64 => FieldKind.Int64,
            FieldType.Bool => FieldKind.Bool,
            FieldType.Enum => FieldKind.Enum,
            FieldType.String => FieldKind.String,
            FieldType.Bytes => FieldKind.Bytes,
            // The well-known types have JSON forms of their own.
            FieldType.Message when !descriptor.IsMap
                && !descriptor.MessageType.FullName.StartsWith("google.protobuf.", StringComparison.Ordinal) => FieldKind.Message,
            _ => FieldKind.Unsupported,
        };

        // Repeated numbers would be packed.
        return descriptor.IsRepeated && kind is not (FieldKind.String or FieldKind.Bytes or FieldKind.Message)
            ? FieldKind.Unsupported
            : kind;
    }
}
