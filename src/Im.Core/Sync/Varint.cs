using System.Numerics;

namespace Im.Sync;

/// <summary>Protobuf's unsigned varint of 64 bits.</summary>
internal static class Varint
{
    public static int Size(ulong value) => ((BitOperations.Log2(value | 1) * 9) + 73) / 64;

    public static int Write(Span<byte> destination, ulong value)
    {
        var position = 0;
        while (value >= 0x80)
        {
            destination[position++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[position++] = (byte)value;
        return position;
    }
}
