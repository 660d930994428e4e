using Google.Protobuf;

namespace Im.Protocol.Codecs;

/// <summary>
/// Reads protobuf's wire format strictly: varints in their shortest form, no groups, no field number 0, no length past the end.
/// Nothing is copied. After a failure the position is that of the element that is wrong.
/// </summary>
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private const int MaxVarintBytes = 10;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; private set; }

    public readonly bool AtEnd => Position == _bytes.Length;

    public bool TryReadTag(out int number, out WireFormat.WireType wireType)
    {
        var start = Position;
        number = 0;
        wireType = default;
        if (!TryReadVarint(out var tag))
        {
            return false;
        }

        number = (int)(tag >> 3);
        wireType = (WireFormat.WireType)(tag & 7);
        if (tag <= uint.MaxValue && number != 0 && wireType is WireFormat.WireType.Varint or WireFormat.WireType.LengthDelimited
            or WireFormat.WireType.Fixed32 or WireFormat.WireType.Fixed64)
        {
            return true;
        }

        Position = start;
        return false;
    }

    public bool TryReadVarint(out ulong value)
    {
        value = 0;
        var rest = _bytes[Position..];
        for (var i = 0; i < rest.Length && i < MaxVarintBytes; i++)
        {
            var next = rest[i];
            value |= (ulong)(next & 0x7F) << (7 * i);
            if ((next & 0x80) != 0)
            {
                continue;
            }

            // A zero at the end makes it longer than needed; the tenth byte has room for one bit.
            if ((next == 0 && i > 0) || (i == MaxVarintBytes - 1 && next > 1))
            {
                return false;
            }

            Position += i + 1;
            return true;
        }

        return false;
    }

    public bool TryReadBytes(out ReadOnlySpan<byte> value)
    {
        var start = Position;
        value = default;
        if (!TryReadVarint(out var length))
        {
            return false;
        }

        if (length > (ulong)(_bytes.Length - Position))
        {
            Position = start;
            return false;
        }

        value = _bytes.Slice(Position, (int)length);
        Position += (int)length;
        return true;
    }

    public bool TrySkip(WireFormat.WireType wireType)
    {
        switch (wireType)
        {
            case WireFormat.WireType.Varint:
                return TryReadVarint(out _);
            case WireFormat.WireType.LengthDelimited:
                return TryReadBytes(out _);
            default:
                var size = wireType == WireFormat.WireType.Fixed32 ? 4 : 8;
                if (_bytes.Length - Position < size)
                {
                    return false;
                }

                Position += size;
                return true;
        }
    }
}
