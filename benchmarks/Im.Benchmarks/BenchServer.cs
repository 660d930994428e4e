using Im.Connections;
using Im.Groups;
using Im.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Im.Benchmarks;

/// <summary>A server with members of one group signed in over connections without sockets.</summary>
internal sealed class BenchServer : IDisposable
{
    private readonly IHost _host;

    private BenchServer(IHost host) => _host = host;

    public IImServer Im => _host.Services.GetRequiredService<IImServer>();

    public IServiceProvider Services => _host.Services;

    public List<BenchConnection> Connections { get; } = [];

    public static async Task<BenchServer> StartAsync(int members, string fanout, ImCodec codec)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddImServer(options => options.IdleTimeout = TimeSpan.FromHours(1)).AddUserProvider<AnyUser>();
        var host = builder.Build();
        await host.StartAsync();
        var server = new BenchServer(host);
        var acceptor = host.Services.GetRequiredService<ConnectionRegistry>();
        var sessions = host.Services.GetRequiredService<SessionRegistry>();
        for (var i = 0; i < members; i++)
        {
            var connection = new BenchConnection(codec);
            connection.Handler = acceptor.Accept(connection);
            connection.Receive(new ClientPacket { RequestId = 1, SignIn = new SignIn { Token = $"u{i}", DeviceId = "d" } });
            server.Connections.Add(connection);
        }

        while (sessions.Get($"u{members - 1}").IsEmpty)
        {
            await Task.Yield();
        }

        await server.Im.Groups.CreateAsync(new NewGroup
        {
            GroupId = "g",
            Info = new Model.GroupInfo("g"),
            MemberIds = [.. Enumerable.Range(0, members).Select(i => $"u{i}")],
            ActorId = "$bench",
            Fanout = fanout,
        });
        server.Drain();
        return server;
    }

    /// <summary>Writes what all sessions have queued; returns the bytes.</summary>
    public long Drain()
    {
        var writer = new CountingWriter();
        foreach (var connection in Connections)
        {
            connection.Drain(writer);
        }

        return writer.Bytes;
    }

    public void Dispose()
    {
        // The loops end; what is queued in connections without sockets is nobody's loss.
        _host.Services.GetRequiredService<ServerLifetime>().Stop();
        _host.Dispose();
    }
}
