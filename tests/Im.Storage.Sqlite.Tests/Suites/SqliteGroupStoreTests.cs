using Im.Testing.Specification;

namespace Im.Storage.Sqlite;

public sealed class SqliteGroupStoreTests(SqliteFixture fixture) : GroupStoreSpecification(fixture), IClassFixture<SqliteFixture>;
