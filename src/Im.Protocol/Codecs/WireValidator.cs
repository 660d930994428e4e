using System.Text.Unicode;
using Google.Protobuf;

namespace Im.Protocol.Codecs;

/// <summary>
/// Checks protobuf bytes against the schema before the generated parser sees them: that parser lets invalid UTF-8, wrong wire types
/// and numbers out of range through, which the JSON codec cannot.
/// </summary>
/// <remarks>
/// A singular field that is given twice and two members of one oneof are valid protobuf (the last one counts) and only make the
/// bytes not <see cref="IsCanonical"/>: not as a generated serializer writes them.
/// </remarks>
internal ref struct WireValidator()
{
    public bool IsCanonical { get; private set; } = true;

    /// <summary>Null when the bytes are a message of this schema.</summary>
    public PacketProblem? Check(MessageSchema schema, ReadOnlySpan<byte> bytes) => Check(schema, bytes, 0, 1);

    private PacketProblem? Check(MessageSchema schema, ReadOnlySpan<byte> bytes, int offset, int depth)
    {
        if (depth > PacketCodec.MaxDepth)
        {
            return new PacketProblem($"nested deeper than {PacketCodec.MaxDepth}");
        }

        var reader = new WireReader(bytes);
        var last = 0;
        ulong oneofs = 0;
        while (!reader.AtEnd)
        {
            if (!reader.TryReadTag(out var number, out var wireType))
            {
                return Malformed(offset + reader.Position);
            }

            var field = schema.Find(number);
            if (field is null)
            {
                if (!reader.TrySkip(wireType))
                {
                    return Malformed(offset + reader.Position);
                }

                continue;
            }

            var problem = wireType == field.WireType ? CheckValue(field, ref reader, offset, depth) : new PacketProblem(field.Expected);
            if (problem is not null)
            {
                return problem.In(field);
            }

            IsCanonical &= number > last || (number == last && field.Repeated);
            last = number;
            if (field.OneofIndex >= 0)
            {
                IsCanonical &= (oneofs & (1UL << field.OneofIndex)) == 0;
                oneofs |= 1UL << field.OneofIndex;
            }
        }

        return null;
    }

    private PacketProblem? CheckValue(FieldSchema field, ref WireReader reader, int offset, int depth)
    {
        if (field.WireType == WireFormat.WireType.Varint)
        {
            if (!reader.TryReadVarint(out var value))
            {
                return Malformed(offset + reader.Position);
            }

            var inRange = field.Kind switch
            {
                FieldKind.Bool => value <= 1,
                FieldKind.UInt32 => value <= uint.MaxValue,
                FieldKind.Int64 => true,
                _ => (long)value is >= int.MinValue and <= int.MaxValue,
            };
            return inRange ? null : new PacketProblem(field.Expected);
        }

        if (!reader.TryReadBytes(out var bytes))
        {
            return Malformed(offset + reader.Position);
        }

        return field.Kind switch
        {
            FieldKind.String when !Utf8.IsValid(bytes) => new PacketProblem(PacketProblem.NotUtf8),
            FieldKind.Message => Check(field.Message!, bytes, offset + reader.Position - bytes.Length, depth + 1),
            _ => null,
        };
    }

    private static PacketProblem Malformed(int position) => new($"malformed protobuf at byte {position}");
}
