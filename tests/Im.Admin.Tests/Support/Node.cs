using Im.Client;
using Im.Cluster;
using Im.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Im.Admin.Tests.Support;

/// <summary>One web host with a server, its transport on a free port, and the admin endpoints.</summary>
public sealed class Node : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private readonly WebApplication _app;

    private Node(WebApplication app) => _app = app;

    public IServiceProvider Services => _app.Services;

    public IReadOnlyList<Microsoft.AspNetCore.Routing.EndpointDataSource> Endpoints => [.. ((Microsoft.AspNetCore.Routing.IEndpointRouteBuilder)_app).DataSources];

    public Uri Address => new(_app.Urls.Single() + "/");

    public static async Task<Node> StartAsync(
        string name,
        InMemoryCluster? cluster = null,
        IServiceProvider? storage = null,
        Action<IImServerBuilder>? configure = null,
        Action<WebApplication>? map = null,
        Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddAuthentication(Operators.SchemeName).AddScheme<AuthenticationSchemeOptions, Operators>(Operators.SchemeName, null);
        builder.Services.AddAuthorizationBuilder().AddPolicy(Operators.Policy, policy => policy.RequireUserName(Operators.Administrator));
        if (storage is not null)
        {
            Share<IMessageStore>();
            Share<IGroupStore>();
            Share<IConversationStore>();
            Share<IDeviceStore>();
        }

        var server = builder.Services.AddImServer(options =>
        {
            options.NodeName = name;
            options.ReconnectSpread = TimeSpan.Zero;
            options.DrainTimeout = TimeSpan.FromSeconds(2);
        }).AddUserProvider<AnyUsers>().AddWebSocketTransport();
        server.UseCluster(options =>
        {
            options.RenewInterval = TimeSpan.FromMilliseconds(200);
            options.RequestTimeout = TimeSpan.FromSeconds(2);
        });
        if (cluster is not null)
        {
            server.UseInMemoryCluster(cluster);
        }

        configure?.Invoke(server);
        services?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapIm("/im");
        (map ?? (one => one.MapImAdmin("/im/admin").RequireAuthorization(Operators.Policy)))(app);
        await app.StartAsync().WaitAsync(Limit);
        return new Node(app);

        void Share<T>()
            where T : class => builder.Services.AddSingleton(_ => storage.GetRequiredService<T>());
    }

    /// <summary>Connects a device that stores what it gets and says so soon.</summary>
    public async Task<ImClient> ConnectAsync(string userId, string deviceId = "phone", bool reads = true)
    {
        var client = new ImClient(new ImClientOptions
        {
            Server = new UriBuilder(Address) { Scheme = "ws", Path = "/im" }.Uri,
            DeviceId = deviceId,
            TokenProvider = _ => new(userId),
            CursorSaveInterval = TimeSpan.FromMilliseconds(20),
        });
        await client.ConnectAsync().WaitAsync(Limit);
        if (reads)
        {
            _ = ReadAsync(client);
        }

        return client;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().WaitAsync(Limit);
        await _app.DisposeAsync();
    }

    private static async Task ReadAsync(ImClient client)
    {
        try
        {
            await foreach (var _ in client.ReadAsync())
            {
                // Getting the next one says that this one is stored.
            }
        }
        catch (ImClientException)
        {
            // Closed by the server; the test looks at the client's state.
        }
    }
}
