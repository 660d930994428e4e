using Im.Testing.Specification;

namespace Im.Storage;

public sealed class InMemoryMessageStoreTests(InMemoryStorageFixture fixture)
    : MessageStoreSpecification(fixture), IClassFixture<InMemoryStorageFixture>;
