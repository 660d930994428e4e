using System.Buffers.Binary;
using System.Text.Unicode;

namespace Im.Transport.WebSockets.Internal;

/// <summary>Frames from the server (RFC 6455, 5.2). They are never masked, so that a frame is a short header and then the bytes as they are.</summary>
/// <remarks>
/// <code>
///  byte 0           byte 1              then
///  FIN 000 opcode   0 length 0..125     payload
///                   0 126               2 bytes length, payload
///                   0 127               8 bytes length, payload
/// </code>
/// </remarks>
internal static class Frames
{
    public const int MaxHeaderBytes = 10;
    public const int MaxCloseFrameBytes = 2 + MaxControlPayloadBytes;
    public const int TextOpcode = 1;
    public const int BinaryOpcode = 2;
    private const int CloseOpcode = 8;
    private const int Final = 0x80;
    private const int MaxControlPayloadBytes = 125;
    private const int LengthIn2Bytes = 126;
    private const int LengthIn8Bytes = 127;

    /// <summary>Writes the header of a whole message and returns its length.</summary>
    public static int WriteHeader(Span<byte> destination, int opcode, int payloadBytes)
    {
        destination[0] = (byte)(Final | opcode);
        switch (payloadBytes)
        {
            case <= MaxControlPayloadBytes:
                destination[1] = (byte)payloadBytes;
                return 2;
            case <= ushort.MaxValue:
                destination[1] = LengthIn2Bytes;
                BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)payloadBytes);
                return 4;
            default:
                destination[1] = LengthIn8Bytes;
                BinaryPrimitives.WriteUInt64BigEndian(destination[2..], (ulong)payloadBytes);
                return MaxHeaderBytes;
        }
    }

    /// <summary>A close frame; the reason is cut after the last whole character that fits.</summary>
    public static byte[] Close(int code, string reason)
    {
        Span<byte> frame = stackalloc byte[MaxCloseFrameBytes];
        BinaryPrimitives.WriteUInt16BigEndian(frame[2..], (ushort)code);
        Utf8.FromUtf16(reason, frame[4..], out _, out var reasonBytes, replaceInvalidSequences: true);
        WriteHeader(frame, CloseOpcode, 2 + reasonBytes);
        return frame[..(4 + reasonBytes)].ToArray();
    }

    /// <summary>Is this a close frame, and with which code?</summary>
    public static bool IsClose(ReadOnlySpan<byte> frame, out int code)
    {
        code = frame.Length >= 4 ? BinaryPrimitives.ReadUInt16BigEndian(frame[2..]) : 0;
        return frame.Length >= 2 && frame[0] == (Final | CloseOpcode);
    }
}
