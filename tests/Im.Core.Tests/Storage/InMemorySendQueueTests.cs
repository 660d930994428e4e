using Im.Testing.Specification;

namespace Im.Storage;

public sealed class InMemorySendQueueTests(InMemoryStorageFixture fixture)
    : SendQueueSpecification(fixture), IClassFixture<InMemoryStorageFixture>;
