using Im.Storage.Sqlite;

namespace Im.BenchServer;

/// <summary>Chooses the store: <c>--store memory</c>, or one of the durable ones with <c>--connection</c>.</summary>
internal static class Stores
{
    public static void Use(IImServerBuilder builder, IConfiguration configuration)
    {
        var store = configuration["store"] ?? "memory";
        switch (store)
        {
            case "memory":
                break;
            case "sqlite":
                builder.UseSqlite(configuration["connection"] ?? "bench.db");
                builder.Services.Configure<ImSqliteOptions>(configuration.GetSection("Sqlite"));
                break;
            default:
                throw new ArgumentException($"There is no store \"{store}\"; use --store memory, sqlite or mysql.");
        }
    }
}
