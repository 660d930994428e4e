using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using Google.Protobuf;
using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>TCP, with or without TLS: each packet is preceded by its length as a varint.</summary>
internal sealed class TcpPacketStream : PacketStream
{
    private readonly Stream _stream;
    private readonly PipeReader _reader;
    private readonly int _maxPacketBytes;

    public TcpPacketStream(Stream stream, int maxPacketBytes)
    {
        _stream = stream;
        _maxPacketBytes = maxPacketBytes;
        _reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));
    }

    public static new async Task<PacketStream> ConnectAsync(ImClientOptions options, Uri server, CancellationToken cancellationToken)
    {
        if (options.OpenStream is { } open)
        {
            return new TcpPacketStream(await open(cancellationToken).ConfigureAwait(false), options.MaxPacketBytes);
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(server.IdnHost, server.Port, cancellationToken).ConfigureAwait(false);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (server.Scheme == "tls")
            {
                var tls = new SslClientAuthenticationOptions { TargetHost = server.IdnHost };
                options.ConfigureTls?.Invoke(tls);
                var secure = new SslStream(stream);
                stream = secure;
                await secure.AuthenticateAsClientAsync(tls, cancellationToken).ConfigureAwait(false);
            }

            return new TcpPacketStream(stream, options.MaxPacketBytes);
        }
        catch
        {
            if (stream is not null)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
            }

            socket.Dispose();
            throw;
        }
    }

    public override async ValueTask<ServerPacket?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await _reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            var buffer = result.Buffer;
            switch (PacketFraming.TryRead(ref buffer, _maxPacketBytes, out var bytes, out _))
            {
                case FrameStatus.Packet:
                    var packet = Parse(bytes);
                    _reader.AdvanceTo(buffer.Start);
                    return packet;
                case FrameStatus.TooLarge:
                    throw new ProtocolException($"The server sent a packet of more than {_maxPacketBytes} bytes.");
                default:
                    _reader.AdvanceTo(buffer.Start, buffer.End);
                    break;
            }

            if (result.IsCompleted)
            {
                return null;
            }
        }
    }

    public override void Append(ClientPacket packet)
    {
        var bytes = packet.CalculateSize();
        Outgoing.Advance(PacketFraming.WritePrefix(Outgoing.GetSpan(PacketFraming.MaxPrefixBytes), bytes));
        packet.WriteTo(Outgoing);
    }

    public override async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await _stream.WriteAsync(Outgoing.WrittenMemory, cancellationToken).ConfigureAwait(false);
        Outgoing.ResetWrittenCount();
    }

    public override async ValueTask DisposeAsync()
    {
        await _reader.CompleteAsync().ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
    }
}
