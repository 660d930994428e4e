using Im.Storage.Sqlite.Internal;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;

namespace Im.Storage.Sqlite;

/// <summary>A group of 100,000 on SQLite.</summary>
public sealed class SqliteLargeGroupTests(ITestOutputHelper output)
{
    [Fact]
    public async Task AGroupOfAHundredThousandIsNeverLoadedWhole()
    {
        using var folder = new TempFolder();
        await LargeGroupRules.AGroupOfAHundredThousandIsNeverLoadedWhole(
            im => im.UseSqlite(folder["im.db"], options => options.Synchronous = LargeGroupRules.Measures ? ImSqliteSynchronous.Full : ImSqliteSynchronous.Normal),
            (services, sql) => services.GetRequiredService<SqliteStorage>().Lanes.Read.ReadAsync(
                session =>
                {
                    var statement = session.Prepare(sql);
                    var rows = statement.Read() ? statement.GetInt64(0) : 0;
                    statement.Clear();
                    return rows;
                },
                CancellationToken.None),
            output);
    }
}
