using Google.Protobuf.Reflection;

namespace Im.Protocol.Codecs;

/// <summary>What the codecs know of one message, made once from its descriptor: a new packet needs no code. Immutable.</summary>
internal sealed class MessageSchema
{
    /// <summary>Fields found by number in an array, and remembered as bits.</summary>
    private const int MaxFieldNumber = 255;
    private const int MaxFields = 64;

    public static readonly MessageSchema ClientPacket;
    public static readonly MessageSchema ServerPacket;
    public static readonly MessageSchema Entry;

    private FieldSchema[] _fields = [];
    private FieldSchema?[] _byNumber = [];

    static MessageSchema()
    {
        var known = new Dictionary<string, MessageSchema>();
        ClientPacket = For(Protocol.ClientPacket.Descriptor, known);
        ServerPacket = For(Protocol.ServerPacket.Descriptor, known);
        Entry = For(Protocol.Entry.Descriptor, known);
    }

    private MessageSchema()
    {
    }

    public ReadOnlySpan<FieldSchema> Fields => _fields;

    /// <summary>The field with this number; null = unknown.</summary>
    public FieldSchema? Find(int number) => (uint)number < (uint)_byNumber.Length ? _byNumber[number] : null;

    /// <summary>The field with this name, in lowerCamelCase or as in the .proto; null = unknown.</summary>
    public FieldSchema? Find(ReadOnlySpan<byte> name)
    {
        foreach (var field in _fields)
        {
            if (name.SequenceEqual(field.JsonNameUtf8) || name.SequenceEqual(field.ProtoNameUtf8))
            {
                return field;
            }
        }

        return null;
    }

    /// <summary>Names each field below a message that the codecs cannot carry; a test asserts that there is none.</summary>
    internal static IEnumerable<string> FindUnsupported(MessageDescriptor descriptor, HashSet<string>? visited = null)
    {
        visited ??= [];
        if (!visited.Add(descriptor.FullName))
        {
            yield break;
        }

        foreach (var field in descriptor.Fields.InDeclarationOrder())
        {
            if (!IsSupported(field))
            {
                yield return field.FullName;
            }
            else if (field.FieldType == FieldType.Message)
            {
                foreach (var inner in FindUnsupported(field.MessageType, visited))
                {
                    yield return inner;
                }
            }
        }
    }

    private static bool IsSupported(FieldDescriptor field) =>
        FieldSchema.KindOf(field) != FieldKind.Unsupported && field.FieldNumber <= MaxFieldNumber && field.Index < MaxFields;

    private static MessageSchema For(MessageDescriptor descriptor, Dictionary<string, MessageSchema> known)
    {
        if (known.TryGetValue(descriptor.FullName, out var schema))
        {
            return schema;
        }

        // Known before its fields are looked at: a message may contain itself.
        schema = new MessageSchema();
        known.Add(descriptor.FullName, schema);
        schema._fields = [.. descriptor.Fields.InFieldNumberOrder()
            .Where(IsSupported)
            .Select((field, index) =>
                new FieldSchema(field, index, field.FieldType == FieldType.Message ? For(field.MessageType, known) : null))];
        schema._byNumber = new FieldSchema?[schema._fields.Length == 0 ? 0 : schema._fields[^1].Number + 1];
        foreach (var field in schema._fields)
        {
            schema._byNumber[field.Number] = field;
        }

        return schema;
    }
}
