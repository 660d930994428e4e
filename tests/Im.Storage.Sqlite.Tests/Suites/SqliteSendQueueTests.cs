using Im.Testing.Specification;

namespace Im.Storage.Sqlite;

public sealed class SqliteSendQueueTests(SqliteFixture fixture) : SendQueueSpecification(fixture), IClassFixture<SqliteFixture>;
