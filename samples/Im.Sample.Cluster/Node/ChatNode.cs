using Im.Cluster;
using Im.Groups;
using Im.Model;
using MySql.Data.MySqlClient;

namespace Im.Sample.Cluster.Node;

/// <summary>One node: an ordinary ASP.NET Core app. All nodes run the same program; only the name and the ports differ.</summary>
internal static class ChatNode
{
    public static async Task<int> RunAsync(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        var settings = builder.Configuration;
        await using var dataSource = MySqlClientFactory.Instance.CreateDataSource(settings["mysql"]!);

        builder.Services.AddImServer(o => o.NodeName = settings["node"]!)
            .AddUserProvider<DemoUserProvider>()
            .AddTcpTransport(o => o.Port = settings.GetValue("tcp", 9000))
            .AddWebSocketTransport()
            .UseMySql(dataSource)
            .UseRedis(settings["redis"]!);

        // Short, so that the tour need not wait long for a dead node's name. The defaults suit most clusters.
        builder.Services.Configure<ImClusterOptions>(settings.GetSection("Cluster"));
        builder.Services.AddHealthChecks().AddImServer();

        var app = builder.Build();
        app.MapIm("/im");
        app.MapHealthChecks("/health");

        // FOR DEMONSTRATION ONLY: whoever reaches the port may create groups.
        app.MapPost("/groups/{id}", async (string id, string[] members, IImServer im, CancellationToken cancellationToken) =>
            await im.Groups.CreateAsync(
                new NewGroup { GroupId = id, Info = new GroupInfo(id), MemberIds = members, ActorId = members[0] }, cancellationToken));

        if (settings.GetValue("end-with-input", false))
        {
            EndWithInput(app);
        }

        await app.RunAsync();
        return 0;
    }

    // The tour that started it may be killed; its end of the pipe is closed then, too.
    private static void EndWithInput(WebApplication app) => new Thread(() =>
    {
        while (Console.In.ReadLine() is not null)
        {
            // Nobody says anything.
        }

        app.Lifetime.StopApplication();
    })
    { IsBackground = true }.Start();
}
