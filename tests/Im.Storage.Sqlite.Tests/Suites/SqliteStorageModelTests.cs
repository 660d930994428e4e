using Im.Testing.Specification;
using Xunit.Abstractions;

namespace Im.Storage.Sqlite;

public sealed class SqliteStorageModelTests(SqliteFixture fixture, ITestOutputHelper output)
    : StorageModelSpecification(fixture, output), IClassFixture<SqliteFixture>;
