using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Im.Protocol.Tests;

/// <summary>Random messages of any type, made from the descriptors, so that a new packet is tested without new code.</summary>
internal sealed class RandomPackets(Random random)
{
    private static readonly string[] Texts =
        ["a", "user-1", "\"\\/\b\f\n\r\t", "\u0001\u007f\u0085\u2028", "你好，世界", "😀👩‍👩‍👧‍👦🇨🇳", "<b>&'\"</b>", "é\u0301\ufeff\uffff\ue000", "\0"];

    /// <summary>One packet of each kind, and one of none.</summary>
    public IEnumerable<IMessage> OneOfEachKind(MessageDescriptor descriptor)
    {
        yield return descriptor.Parser.ParseFrom([]);
        foreach (var kind in descriptor.Oneofs[0].Fields)
        {
            var packet = descriptor.Parser.ParseFrom([]);
            Fill(packet, 1);
            kind.Accessor.SetValue(packet, Message(kind.MessageType, 1));
            yield return packet;
        }
    }

    public IMessage Message(MessageDescriptor descriptor, int depth = 0)
    {
        var message = descriptor.Parser.ParseFrom([]);
        Fill(message, depth);
        return message;
    }

    private void Fill(IMessage message, int depth)
    {
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (random.Next(4) == 0)
            {
                continue;
            }

            if (field.IsRepeated)
            {
                var list = (System.Collections.IList)field.Accessor.GetValue(message);
                for (var i = random.Next(4); i > 0; i--)
                {
                    list.Add(Value(field, depth));
                }
            }
            else
            {
                // Of a oneof the last one set stays.
                field.Accessor.SetValue(message, Value(field, depth));
            }
        }
    }

    private object Value(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.Int32 => (int)Number(),
        FieldType.UInt32 => (uint)Number(),
        FieldType.Int64 => Number(),
        FieldType.Bool => random.Next(2) == 0,
        FieldType.Enum => random.Next(5),
        FieldType.String => Text(),
        FieldType.Bytes => ByteString.CopyFrom(Bytes()),
        FieldType.Message => Message(field.MessageType, depth + 1),
        _ => throw new NotSupportedException(field.FullName),
    };

    private long Number() => random.Next(6) switch
    {
        0 => 0,
        1 => -1,
        2 => random.Next(300),
        3 => long.MaxValue - random.Next(2),
        4 => long.MinValue + random.Next(2),
        _ => random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(64),
    };

    private string Text()
    {
        var text = new StringBuilder();
        for (var i = random.Next(4); i > 0; i--)
        {
            text.Append(Texts[random.Next(Texts.Length)]);
        }

        return random.Next(30) == 0 ? text.Append('x', random.Next(20_000)).ToString() : text.ToString();
    }

    private byte[] Bytes()
    {
        var bytes = new byte[random.Next(20)];
        random.NextBytes(bytes);
        return bytes;
    }
}
