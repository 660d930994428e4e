using Im.Testing.Specification;

namespace Im.Storage.Sqlite;

public sealed class SqliteUserDataTests(SqliteFixture fixture) : UserDataSpecification(fixture), IClassFixture<SqliteFixture>;
