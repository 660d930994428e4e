using System.Data.Common;
using Im.Client;

namespace Im.Docs.Snippets;

/// <summary>The choice of a store.</summary>
internal static class StorageSnippets
{
    public static void Choose(IImServerBuilder im, DbDataSource dataSource)
    {
        im.UseSqlite("im.db");                                         // one server
        im.UseMySql(dataSource);                                       // MySQL 8, MariaDB 10.11+
    }

    public static void Nodes(WebApplicationBuilder builder, DbDataSource dataSource)
    {
        builder.Services.AddImServer(o => o.NodeName = "node1")       // default: the machine's name
            .AddUserProvider<MyUserProvider>()
            .AddWebSocketTransport()
            .UseMySql(dataSource)
            .UseRedis("redis1:6379,password=…");
    }

    public static void Devices()
    {
        var options = new ImClientOptions
        {
            Server = new Uri("tcp://im1.example.com:9000"),
            MoreServers = [new Uri("tcp://im2.example.com:9000"), new Uri("tcp://im3.example.com:9000")],
            DeviceId = "phone",
        };
        _ = options;
    }

    public static void Several(IImServerBuilder im, DbDataSource dataSource)
    {
        im.UseMySql(dataSource).UseRedis("redis1:6379,password=…");
    }
}
