using Im.Testing.Specification;

namespace Im.Storage.Sqlite;

public sealed class SqliteDeviceStoreTests(SqliteFixture fixture) : DeviceStoreSpecification(fixture), IClassFixture<SqliteFixture>;
