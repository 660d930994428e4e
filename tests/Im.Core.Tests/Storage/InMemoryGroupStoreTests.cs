using Im.Testing.Specification;

namespace Im.Storage;

public sealed class InMemoryGroupStoreTests(InMemoryStorageFixture fixture)
    : GroupStoreSpecification(fixture), IClassFixture<InMemoryStorageFixture>;
