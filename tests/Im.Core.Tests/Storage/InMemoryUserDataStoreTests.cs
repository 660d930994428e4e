using Im.Testing.Specification;

namespace Im.Storage;

public sealed class InMemoryUserDataStoreTests(InMemoryStorageFixture fixture)
    : UserDataSpecification(fixture), IClassFixture<InMemoryStorageFixture>;
