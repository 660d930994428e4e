using Im.Testing.Specification;

namespace Im.Storage.Sqlite;

public sealed class SqliteMessageStoreTests(SqliteFixture fixture) : MessageStoreSpecification(fixture), IClassFixture<SqliteFixture>;
