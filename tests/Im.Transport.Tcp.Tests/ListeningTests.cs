using System.Net;
using System.Net.Sockets;
using Im.Transport.Tcp.Internal;
using Im.Transport.Tcp.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Im.Transport.Tcp.Tests;

public sealed class ListeningTests
{
    [Fact]
    public async Task EveryEndpointIsListenedOnAndItsPortIsKnown()
    {
        await using var server = await TestServer.StartEchoAsync(options =>
        {
            options.Port = 0;
            options.Endpoints.Add(new() { Address = IPAddress.Loopback, Port = 0 });
            options.Endpoints.Add(new() { Address = IPAddress.Loopback, Port = 0 });
        });
        Assert.Equal(3, server.Transport.BoundEndpoints.Count);
        Assert.Equal(3, server.Transport.BoundEndpoints.Select(endpoint => endpoint.Port).Distinct().Count());
        foreach (var endpoint in server.Transport.BoundEndpoints)
        {
            using var client = await TestClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, endpoint.Port));
            await client.SendPacketAsync([5]);
            Assert.Equal([5], await client.ReceiveAsync());
            Assert.Equal("127.0.0.1", (await server.AcceptedAsync()).Connection.RemoteAddress);
        }
    }

    [Fact]
    public async Task APortInUseFailsTheStartWithTheReasonAndLeavesNothingBound()
    {
        await using var first = await TestServer.StartEchoAsync();
        using var probe = new Socket(SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var free = ((IPEndPoint)probe.LocalEndPoint!).Port;
        probe.Dispose();
        var error = await Assert.ThrowsAsync<IOException>(() => TestServer.StartEchoAsync(options =>
        {
            options.Endpoints.Add(new() { Address = IPAddress.Loopback, Port = free });
            options.Endpoints.Add(new() { Address = IPAddress.Loopback, Port = first.Endpoint.Port });
        }));
        Assert.Equal(
            $"Cannot listen on 127.0.0.1:{first.Endpoint.Port}: the port is in use. Stop who uses it or take another: "
            + $".AddTcpTransport(o => o.Port = {first.Endpoint.Port % 65535 + 1})",
            error.Message);
        await Assert.ThrowsAsync<SocketException>(() => TestClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, free)));
    }

    [Fact]
    public async Task AfterAcceptingStoppedNewConnectionsAreRefusedAndOldOnesGoOn()
    {
        await using var server = await TestServer.StartEchoAsync();
        var endpoint = server.Endpoint;
        using var old = await server.ConnectAsync();
        await server.AcceptedAsync();
        await server.Transport.StopAcceptingAsync(default);
        await Assert.ThrowsAsync<SocketException>(() => TestClient.ConnectAsync(endpoint));
        await old.SendPacketAsync([1]);
        Assert.Equal([1], await old.ReceiveAsync());
        await server.Transport.StopAcceptingAsync(default);
    }

    [Fact]
    public async Task StopCutsWhatIsConnectedAndWaitsForItsEnd()
    {
        await using var server = await TestServer.StartEchoAsync();
        using var client = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        await server.Transport.StopAsync(default).AsTask().WaitAsync(Wait.Limit);
        Assert.True(handler.Disconnection.IsCompleted);
        Assert.Equal(0, await client.ReadToEndAsync());
        Assert.Empty(server.Transport.BoundEndpoints);
    }

    [Fact]
    public async Task AHandlerThatThrowsLosesItsConnectionAndNoOther()
    {
        var server = await TestServer.StartAsync(handler => handler.OnReceive = (self, packet) =>
            packet is [0] ? throw new InvalidOperationException("a bug") : TestServer.Echo(self, packet));
        using var good = await server.ConnectAsync();
        await server.AcceptedAsync();
        using var bad = await server.ConnectAsync();
        var handler = await server.AcceptedAsync();
        await bad.SendPacketAsync([0]);
        Assert.IsType<InvalidOperationException>(await handler.Disconnection.WaitAsync(Wait.Limit));
        await good.SendPacketAsync([1]);
        Assert.Equal([1], await good.ReceiveAsync());
        Assert.Single(server.Logs.Entries, entry => entry.Level == LogLevel.Error && entry.Text.Contains("a bug"));
        await server.Transport.StopAsync(default);
    }

    [Fact]
    public async Task TheAcceptLoopOutlivesLostConnectionsAndMissingHandles()
    {
        var accepted = new TaskCompletionSource<Socket>();
        var logs = new RecordingLoggers();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var listener = new TcpEndpointListener(
            new FailingSocket(
                new SocketException((int)SocketError.ConnectionAborted),
                new SocketException((int)SocketError.TooManyOpenSockets),
                new SocketException((int)SocketError.NoBufferSpaceAvailable),
                socket),
            accepted.SetResult,
            TimeProvider.System,
            logs);
        listener.Start();
        Assert.Same(socket, await accepted.Task.WaitAsync(Wait.Limit));
        await listener.DisposeAsync().AsTask().WaitAsync(Wait.Limit);
        Assert.Equal(
            [EventIds.AcceptRetried, EventIds.AcceptDelayed, EventIds.AcceptDelayed, EventIds.StoppedListening],
            logs.Entries.Select(entry => entry.Id.Id));
    }

    private sealed class FailingSocket(params object[] results) : IListeningSocket
    {
        private int _next;

        public IPEndPoint Endpoint { get; } = new(IPAddress.Loopback, 1);

        public async ValueTask<Socket> AcceptAsync(CancellationToken cancellationToken)
        {
            await Task.Yield();
            if (_next == results.Length)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return results[_next++] as Socket ?? throw (Exception)results[_next - 1];
        }

        public void Dispose()
        {
        }
    }
}
