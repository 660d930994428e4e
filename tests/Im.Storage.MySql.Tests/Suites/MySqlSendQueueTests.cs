using Im.Storage.MySql.Tests.Support;
using Im.Testing.Specification;

namespace Im.Storage.MySql.Tests.Suites;

[Collection(MySqlCollection.Name)]
public sealed class MySqlSendQueueTests(MySqlStorageFixture fixture)
    : SendQueueSpecification(fixture), IClassFixture<MySqlStorageFixture>;
