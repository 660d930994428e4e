using Im.Testing.Specification;

namespace Im.Storage.Sqlite;

public sealed class SqliteConversationStoreTests(SqliteFixture fixture) : ConversationStoreSpecification(fixture), IClassFixture<SqliteFixture>;
