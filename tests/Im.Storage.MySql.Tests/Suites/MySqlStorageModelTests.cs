using Im.Storage.MySql.Tests.Support;
using Im.Testing.Specification;
using Xunit.Abstractions;

namespace Im.Storage.MySql.Tests.Suites;

[Collection(MySqlCollection.Name)]
public sealed class MySqlStorageModelTests(MySqlStorageFixture fixture, ITestOutputHelper output)
    : StorageModelSpecification(fixture, output), IClassFixture<MySqlStorageFixture>;
