using Im.Outbox.Tests.Support;

namespace Im.Outbox.Tests;

/// <summary>The host's database is SQLite.</summary>
public sealed class SqliteOutboxTests : OutboxRules
{
    private protected override Task<TestDatabase> CreateDatabaseAsync() => Task.FromResult<TestDatabase>(new SqliteDatabase());
}
