using Im.Testing.Specification;

namespace Im.Storage.Sqlite;

public sealed class SqliteDurabilityTests(SqliteFixture fixture) : DurabilitySpecification(fixture), IClassFixture<SqliteFixture>;
