using System.Security.Cryptography;

namespace Im.Storage;

/// <summary>A SHA-256 value, compared by its bytes.</summary>
public readonly record struct ContentHash(UInt128 High, UInt128 Low)
{
    /// <summary>Its size in bytes.</summary>
    public const int SizeInBytes = 32;

    /// <summary>The hash of some bytes.</summary>
    public static ContentHash Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SizeInBytes];
        SHA256.HashData(bytes, hash);
        return Read(hash);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static ContentHash Read(ReadOnlySpan<byte> source) => new(
        System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(source),
        System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(source[16..]));

    /// <summary>Writes <see cref="SizeInBytes"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(destination, High);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(destination[16..], Low);
    }
}
