using System.Net.Sockets;
using Im.Connections;
using Im.Testing.Specification;
using Xunit.Abstractions;

namespace Im.Transport.WebSockets.Tests;

/// <summary>WebSockets keep the rules of every transport, down to the frames' bytes.</summary>
public sealed class WebSocketTransportRulesTests(ITestOutputHelper output) : TransportSpecification(output)
{
    protected override async Task<ITransportServer> StartAsync(IConnectionAcceptor acceptor)
    {
        var server = await LiveServer.StartAsync(options => options.CloseTimeout = CloseTimeout, accept: false);
        await server.Seam.StartAsync(acceptor, CancellationToken.None);
        return new Server(server);
    }

    private sealed class Server(LiveServer server) : ITransportServer
    {
        public IImTransport Transport => server.Seam;

        public bool HasCloseCodes => true;

        public int? RentedBuffers => server.Transport.Buffers.Rented;

        public async Task<ITransportClient> ConnectAsync(bool smallBuffers) =>
            new Client(await RawClient.ConnectAsync(server, LiveServer.Protobuf, smallBuffers ? 16 * 1024 : 0));

        public ValueTask DisposeAsync() => server.DisposeAsync();
    }

    private sealed class Client(RawClient client) : ITransportClient
    {
        private bool _left;

        public int? CloseCode { get; private set; }

        public byte[] Frame(ReadOnlySpan<byte> packet) => RawClient.Frame(0x82, packet);

        public Task SendBytesAsync(ReadOnlyMemory<byte> bytes) => client.SendAsync(bytes.ToArray());

        public async Task<byte[]?> ReceiveAsync()
        {
            try
            {
                var (first, payload) = await client.ReceiveFrameAsync();
                if (first != 0x88)
                {
                    Assert.Equal(0x82, first);
                    return payload;
                }

                CloseCode = payload.Length < 2 ? 0 : (payload[0] << 8) | payload[1];
                await LeaveAsync();
                return null;
            }
            catch (Exception error) when (error is SocketException or Xunit.Sdk.XunitException)
            {
                return null; // the end without a close frame
            }
        }

        public async Task LeaveAsync()
        {
            if (!_left)
            {
                _left = true;
                await client.SendAsync(RawClient.Frame(0x88, [0x03, 0xE8]));
            }
        }

        public void Cut() => client.Socket.Close(0);

        public ValueTask DisposeAsync()
        {
            client.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
