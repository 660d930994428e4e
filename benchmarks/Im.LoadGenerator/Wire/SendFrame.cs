using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Im.Protocol;

namespace Im.LoadGenerator.Wire;

/// <summary>A frame with a send to one conversation, made once; each message changes its number in three places.</summary>
/// <remarks>
/// Request id, message id and stamp all carry the message's number, so a reply and an entry lead back to it without a look-up. A resend of a number
/// is the same frame again.
/// </remarks>
internal sealed class SendFrame
{
    private const uint ProtobufBase = 1u << 27; // any id above it has a varint of four bytes, up to twice as much
    private const uint JsonBase = 100_000_000; // nine digits

    private readonly byte[] _frame;
    private readonly bool _isJson;
    private readonly int _requestId;
    private readonly int _messageId;
    private readonly int _stamp;

    public SendFrame(TransportKind transport, string conversationId, int bodyBytes, bool isRoom = false)
    {
        _isJson = transport == TransportKind.WsJson;
        var zero = Stamp.RunText + "00000000";
        var content = new Content { ContentType = "text", Text = Filler(bodyBytes - Stamp.Bytes) + zero };
        var packet = new ClientPacket { RequestId = ToRequestId(0, _isJson) };
        if (isRoom)
        {
            packet.SendToRoom = new SendToRoom { RoomId = conversationId, ClientMessageId = MessageIdOf(0), Content = content };
        }
        else
        {
            packet.Send = new Send { ClientMessageId = MessageIdOf(0), ConversationId = conversationId, Content = content };
        }

        _frame = FrameHeader.Wrap(PacketCodec.Write(packet, _isJson ? ImCodec.Json : ImCodec.Protobuf), transport);
        var place = Encoding.ASCII.GetBytes(zero);
        _messageId = _frame.AsSpan().IndexOf(place) + 8;
        _stamp = _frame.AsSpan().LastIndexOf(place) + 8;
        ReadOnlySpan<byte> zeroId = [0x08, 0x80, 0x80, 0x80, 0x40];
        _requestId = _isJson ? _frame.AsSpan().IndexOf("100000000"u8) : _frame.AsSpan().IndexOf(zeroId) + 1;
    }

    /// <summary>The client message id of a number: as long as 128 random bits in base64.</summary>
    public static string MessageIdOf(int number) => $"{Stamp.RunText}{number:x8}load00";

    /// <summary>The number behind a reply's request id, or -1 where it answers no send.</summary>
    public static int ToNumber(uint requestId, bool isJson)
    {
        var first = isJson ? JsonBase : ProtobufBase;
        return requestId >= first ? (int)(requestId - first) : -1;
    }

    /// <summary>The frame for a message; valid until the next call.</summary>
    public ReadOnlySpan<byte> For(int number)
    {
        var digits = Stamp.ToDigits(number);
        MemoryMarshal.Write(_frame.AsSpan(_messageId), in digits);
        MemoryMarshal.Write(_frame.AsSpan(_stamp), in digits);
        var requestId = ToRequestId(number, _isJson);
        if (_isJson)
        {
            requestId.TryFormat(_frame.AsSpan(_requestId), out _, default, CultureInfo.InvariantCulture);
        }
        else
        {
            for (var i = 0; i < 4; i++)
            {
                _frame[_requestId + i] = (byte)((requestId >> (7 * i)) | (i < 3 ? 0x80u : 0));
            }
        }

        return _frame;
    }

    private static uint ToRequestId(int number, bool isJson) => (isJson ? JsonBase : ProtobufBase) + (uint)number;

    private static string Filler(int length) =>
        string.Create(length, 0, static (text, _) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = i % 6 == 5 ? ' ' : (char)('a' + (i % 26));
            }
        });
}
