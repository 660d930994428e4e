using Im.Testing.Specification;

namespace Im.Storage;

public sealed class InMemoryDeviceStoreTests(InMemoryStorageFixture fixture)
    : DeviceStoreSpecification(fixture), IClassFixture<InMemoryStorageFixture>;
