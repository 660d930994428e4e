using Im.Testing.Specification;

namespace Im.Storage.Sqlite;

public sealed class SqliteRetentionTests(SqliteFixture fixture) : RetentionSpecification(fixture), IClassFixture<SqliteFixture>;
