using System.Buffers;
using System.IO.Pipelines;
using Im.Connections;
using Im.Protocol;
using Im.Testing.Internal;
using Im.Testing.Specification;
using Xunit.Abstractions;

namespace Im.Testing.Tests;

/// <summary>The in-memory transport keeps the rules of every transport.</summary>
public sealed class MemoryTransportTests(ITestOutputHelper output) : TransportSpecification(output)
{
    protected override async Task<ITransportServer> StartAsync(IConnectionAcceptor acceptor)
    {
        var server = new Server(new MemoryTransport(CloseTimeout));
        await server.Transport.StartAsync(acceptor, CancellationToken.None);
        return server;
    }

    private sealed class Server(MemoryTransport transport) : ITransportServer
    {
        public IImTransport Transport => transport;

        public bool HasCloseCodes => false;

        public int? RentedBuffers => null;

        public Task<ITransportClient> ConnectAsync(bool smallBuffers) => Task.FromResult<ITransportClient>(new Client(transport.Connect("test").Link));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Client : ITransportClient
    {
        private readonly MemoryLink _link;
        private readonly LinkStream _stream;
        private readonly PipeReader _reader;

        public Client(MemoryLink link)
        {
            _link = link;
            _stream = new LinkStream(link);
            _reader = PipeReader.Create(_stream, new StreamPipeReaderOptions(leaveOpen: true));
        }

        public int? CloseCode => null;

        public byte[] Frame(ReadOnlySpan<byte> packet)
        {
            Span<byte> prefix = stackalloc byte[PacketFraming.MaxPrefixBytes];
            return [.. prefix[..PacketFraming.WritePrefix(prefix, packet.Length)], .. packet];
        }

        public Task SendBytesAsync(ReadOnlyMemory<byte> bytes) => _stream.WriteAsync(bytes).AsTask();

        public async Task<byte[]?> ReceiveAsync()
        {
            try
            {
                while (true)
                {
                    var result = await _reader.ReadAsync();
                    var buffer = result.Buffer;
                    if (PacketFraming.TryRead(ref buffer, int.MaxValue, out var packet, out _) == FrameStatus.Packet)
                    {
                        var bytes = packet.ToArray();
                        _reader.AdvanceTo(buffer.Start);
                        return bytes;
                    }

                    _reader.AdvanceTo(buffer.Start, buffer.End);
                    if (result.IsCompleted)
                    {
                        return null;
                    }
                }
            }
            catch (IOException)
            {
                return null;
            }
        }

        public Task LeaveAsync()
        {
            _stream.CloseSending();
            return Task.CompletedTask;
        }

        public void Cut() => _link.Cut();

        public async ValueTask DisposeAsync() => await _stream.DisposeAsync();
    }
}
