using Im.Testing.Specification;

namespace Im.Storage.Sqlite;

public sealed class SqliteSeveralNodesTests(SqliteFixture fixture) : SeveralNodesSpecification(fixture), IClassFixture<SqliteFixture>;
