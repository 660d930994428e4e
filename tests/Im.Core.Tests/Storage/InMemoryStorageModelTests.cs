using Im.Testing.Specification;
using Xunit.Abstractions;

namespace Im.Storage;

public sealed class InMemoryStorageModelTests(InMemoryStorageFixture fixture, ITestOutputHelper output)
    : StorageModelSpecification(fixture, output), IClassFixture<InMemoryStorageFixture>;
