using Im.Testing.Specification;

namespace Im.Storage;

public sealed class InMemoryDurabilityTests(InMemoryStorageFixture fixture)
    : DurabilitySpecification(fixture), IClassFixture<InMemoryStorageFixture>;
