using System.Buffers;
using Google.Protobuf;
using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>One connection as packets. One reader and one writer at a time.</summary>
internal abstract class PacketStream : IAsyncDisposable
{
    /// <summary>Enough for one write to the socket.</summary>
    private const int FullBytes = 64 * 1024;

    protected ArrayBufferWriter<byte> Outgoing { get; } = new(4096);

    /// <summary>Whether <see cref="FlushAsync"/> is due before more is appended.</summary>
    public bool IsFull => Outgoing.WrittenCount >= FullBytes;

    public static async Task<PacketStream> ConnectAsync(ImClientOptions options, Uri server, CancellationToken cancellationToken) =>
        server.Scheme is "ws" or "wss"
            ? await WebSocketPacketStream.ConnectAsync(options, server, cancellationToken).ConfigureAwait(false)
            : await TcpPacketStream.ConnectAsync(options, server, cancellationToken).ConfigureAwait(false);

    /// <summary>The next packet; null at the end of the stream. Throws <see cref="ProtocolException"/> where the bytes are no packet.</summary>
    public abstract ValueTask<ServerPacket?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>The close code that ended the stream, where the transport has codes.</summary>
    public virtual (ImCloseCode Code, string Reason)? CloseCode => null;

    /// <summary>Adds a packet to the next flush.</summary>
    public abstract void Append(ClientPacket packet);

    /// <summary>Writes what was appended.</summary>
    public abstract ValueTask FlushAsync(CancellationToken cancellationToken);

    /// <summary>Leaves politely where the transport can, for at most a short time.</summary>
    public virtual ValueTask LeaveAsync() => ValueTask.CompletedTask;

    public abstract ValueTask DisposeAsync();

    protected static ServerPacket Parse(ReadOnlySequence<byte> bytes)
    {
        try
        {
            return ServerPacket.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ProtocolException("The server sent bytes that are no packet.", e);
        }
    }
}
