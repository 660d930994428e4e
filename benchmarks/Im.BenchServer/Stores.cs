using System.Data.Common;
using Im.Storage.MySql;
using Im.Storage.Sqlite;
using MySql.Data.MySqlClient;

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
            case "mysql":
                builder.UseMySql(OpenDatabase(configuration["connection"] ?? "", configuration["database"] ?? "im_bench"));
                builder.Services.Configure<ImMySqlOptions>(configuration.GetSection("MySql"));
                break;
            default:
                throw new ArgumentException($"There is no store \"{store}\"; use --store memory, sqlite or mysql.");
        }
    }

    // A fresh MariaDB has no database yet; after a restart it is there.
    private static DbDataSource OpenDatabase(string connectionString, string database)
    {
        using (var connection = new MySqlConnection(connectionString))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SET NAMES utf8mb4";
            command.ExecuteNonQuery();
            command.CommandText = $"CREATE DATABASE IF NOT EXISTS `{database}`";
            command.ExecuteNonQuery();
        }

        return MySqlClientFactory.Instance.CreateDataSource($"{connectionString};Database={database}");
    }
}
