using System.Net;
using Im.Connections;
using Im.Testing.Specification;
using Im.Transport.Tcp.Internal;
using Im.Transport.Tcp.Tests.Support;
using Microsoft.Extensions.Options;
using Xunit.Abstractions;

namespace Im.Transport.Tcp.Tests;

/// <summary>TCP keeps the rules of every transport.</summary>
public sealed class TcpTransportRulesTests(ITestOutputHelper output) : TransportSpecification(output)
{
    protected override async Task<ITransportServer> StartAsync(IConnectionAcceptor acceptor)
    {
        var options = new TcpTransportOptions { CloseTimeout = CloseTimeout };
        options.Endpoints.Add(new() { Address = IPAddress.Loopback, Port = 0 });
        var transport = new TcpTransport(Options.Create(options), TimeProvider.System, new RecordingLoggers());
        await transport.StartAsync(acceptor, CancellationToken.None);
        return new Server(transport, transport.BoundEndpoints[0]);
    }

    private sealed class Server(TcpTransport transport, IPEndPoint endpoint) : ITransportServer
    {
        public IImTransport Transport => transport;

        public bool HasCloseCodes => false;

        public int? RentedBuffers => transport.Buffers.Rented;

        public async Task<ITransportClient> ConnectAsync(bool smallBuffers) =>
            new Client(await TestClient.ConnectAsync(endpoint, smallBuffers ? 16 * 1024 : 0));

        public ValueTask DisposeAsync() => transport.StopAsync(CancellationToken.None);
    }

    private sealed class Client(TestClient client) : ITransportClient
    {
        public int? CloseCode => null;

        public byte[] Frame(ReadOnlySpan<byte> packet) => Frames.Of(packet.ToArray());

        public Task SendBytesAsync(ReadOnlyMemory<byte> bytes) => client.SendAsync(bytes);

        public async Task<byte[]?> ReceiveAsync()
        {
            try
            {
                return await client.ReceiveAsync();
            }
            catch (IOException)
            {
                return null; // a reset is an end too
            }
        }

        public Task LeaveAsync()
        {
            client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
            return Task.CompletedTask;
        }

        public void Cut() => client.Reset();

        public ValueTask DisposeAsync()
        {
            client.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
