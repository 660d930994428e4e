using System.Globalization;
using Im.Outbox.CrashHost;
using Im.Outbox.Tests.Support;
using Xunit.Abstractions;

namespace Im.Outbox.Tests;

/// <summary>The process is killed in the middle, again and again: exactly what the host committed arrives, each once, in order.</summary>
/// <remarks>
/// Host and IM server have a database each. IM_OUTBOX_TRANSACTIONS = how many host transactions (default 1000; a third is rolled back),
/// IM_OUTBOX_KILLS = how often the process is killed (default 3), IM_SEED = when.
/// </remarks>
public sealed class CrashTests(MariaDbFixture mariaDb, ITestOutputHelper output) : IClassFixture<MariaDbFixture>
{
    private static readonly int Transactions = Setting("IM_OUTBOX_TRANSACTIONS", 1000);
    private static readonly int Kills = Setting("IM_OUTBOX_KILLS", 3);

    [Theory]
    [InlineData("sqlite", "sqlite")]
    [InlineData("mysql", "sqlite")]
    [InlineData("mysql", "mysql")]
    public async Task ExactlyWhatTheHostCommittedArrivesOnce(string hostKind, string storeKind)
    {
        await using var database = await CreateAsync(hostKind);
        await using var store = await CreateAsync(storeKind);
        var seed = Setting("IM_SEED", Random.Shared.Next());
        output.WriteLine($"IM_SEED={seed}");
        var random = new Random(seed);
        var started = TimeProvider.System.GetTimestamp();
        await database.ExecuteAsync("CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY, writer INTEGER NOT NULL)");

        // SQLite has no queue of writers: of several busy ones one may wait until it gives up.
        var writers = database.HasConcurrentWriters ? 4 : 1;
        string[] arguments = [$"{storeKind}:{store.ConnectionString}", $"{hostKind}:{database.ConnectionString}", $"{writers}"];
        var waiting = 0;
        var again = 0;
        for (var kill = 1; kill <= Kills; kill++)
        {
            // Each life has its share of the work, so that there is some left for the next one; its last moment may be anywhere in it.
            await using var process = CrashProcess.Start([.. arguments, "run", $"{(long)Transactions * kill / (Kills + 1)}"]);
            again += (await process.ReadUntilAsync("ready")).Count;
            await Task.Delay(random.Next(50, 600));
            await process.KillAsync();
            again += await process.CountAsync("duplicate");
            waiting += await database.CountAsync(1) > 0 ? 1 : 0;
        }

        await using (var last = CrashProcess.Start([.. arguments, "run", $"{Transactions}"]))
        {
            again += (await last.ReadUntilAsync("done")).Count;
            await last.KillAsync();
            again += await last.CountAsync("duplicate");
        }

        await using var reader = CrashProcess.Start([.. arguments, "read"]);
        var arrived = await reader.ReadUntilAsync("end");
        again += arrived.RemoveAll(line => line == "duplicate");
        var committed = Enumerable.Range(0, Transactions).Where(order => !Orders.IsRolledBack(order)).ToArray();
        Assert.Equal($"{committed.Length}", await database.ScalarAsync("SELECT COUNT(*) FROM orders"));
        Assert.Equal(
            committed.GroupBy(Orders.UserOf).ToDictionary(orders => orders.Key, orders => string.Join(' ', orders)),
            arrived.Select(line => line.Split(' ')).GroupBy(line => line[0]).ToDictionary(lines => lines.Key, lines => string.Join(' ', lines.Select(line => line[1]))));
        output.WriteLine(
            $"host {hostKind}, store {storeKind}: {Transactions} transactions, {committed.Length} committed, {arrived.Count} arrived, {Kills + 1} kills, "
            + $"after {waiting} of which messages waited; {again} were sent again and recognised; {TimeProvider.System.GetElapsedTime(started).TotalSeconds:0.0} s");
    }

    private async Task<TestDatabase> CreateAsync(string kind) => kind == "sqlite" ? new SqliteDatabase() : await mariaDb.CreateAsync();

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
