using Im.Storage.MySql.Tests.Support;
using Im.Testing.Specification;

namespace Im.Storage.MySql.Tests.Suites;

[Collection(MySqlCollection.Name)]
public sealed class MySqlSeveralNodesTests(MySqlStorageFixture fixture)
    : SeveralNodesSpecification(fixture), IClassFixture<MySqlStorageFixture>;
