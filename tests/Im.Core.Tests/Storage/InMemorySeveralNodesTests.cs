using Im.Testing.Specification;

namespace Im.Storage;

public sealed class InMemorySeveralNodesTests(InMemoryStorageFixture fixture)
    : SeveralNodesSpecification(fixture), IClassFixture<InMemoryStorageFixture>;
