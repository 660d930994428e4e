using Im.Testing.Specification;

namespace Im.Storage;

public sealed class InMemoryRetentionStoreTests(InMemoryStorageFixture fixture)
    : RetentionSpecification(fixture), IClassFixture<InMemoryStorageFixture>;
