using System.Buffers.Binary;

namespace Im.Storage.Redis.Internal;

/// <summary>
/// What stands in front of a message: <c>version (1 byte) | sender (8) | number (8)</c>. The number counts what this sender has published to the channel.
/// </summary>
internal static class BackplaneMessage
{
    private const byte Version = 1;
    private const int HeaderBytes = 17;

    public static byte[] Write(long sender, long number, ReadOnlySpan<byte> message)
    {
        var bytes = new byte[HeaderBytes + message.Length];
        bytes[0] = Version;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), sender);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(9), number);
        message.CopyTo(bytes.AsSpan(HeaderBytes));
        return bytes;
    }

    public static bool TryRead(byte[] bytes, out long sender, out long number, out ReadOnlyMemory<byte> message)
    {
        (sender, number, message) = (0, 0, default);
        if (bytes.Length < HeaderBytes || bytes[0] != Version)
        {
            return false;
        }

        sender = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(1));
        number = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(9));
        message = bytes.AsMemory(HeaderBytes);
        return true;
    }
}
