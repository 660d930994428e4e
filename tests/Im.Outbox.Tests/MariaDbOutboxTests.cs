using Im.Outbox.Tests.Support;
using static Im.Outbox.Tests.Support.RelayNode;

namespace Im.Outbox.Tests;

/// <summary>The host's database is MariaDB, with MySql.Data.</summary>
public sealed class MariaDbOutboxTests(MariaDbFixture mariaDb) : OutboxRules, IClassFixture<MariaDbFixture>
{
    private protected override Task<TestDatabase> CreateDatabaseAsync() => mariaDb.CreateAsync();

    // The host's connections may speak any character set: the row is ASCII.
    [Fact]
    public async Task AConnectionInAnotherCharacterSetChangesNoMessage()
    {
        await using var database = await mariaDb.CreateAsync(";CharSet=latin1");
        await using var node = await StartAsync(Im, database);
        await node.CommitAsync(database, To("ann", "€ 😀 中文"), To("nobody中", "x"));
        await database.DrainedAsync();
        Assert.Equal(["€ 😀 中文"], await Im.TextsAsync("ann"));
        Assert.Equal(1, await database.CountAsync(2));
    }
}
