using System.Runtime.CompilerServices;

namespace Im.LoadGenerator.Wire;

/// <summary>Protobuf's variable-length integers.</summary>
internal static class Varint
{
    /// <summary>False: the bytes end within the number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(ReadOnlySpan<byte> data, ref int position, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if ((uint)position >= (uint)data.Length)
            {
                return false;
            }

            var next = data[position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }

        throw new InvalidDataException("A varint is longer than 10 bytes.");
    }
}
