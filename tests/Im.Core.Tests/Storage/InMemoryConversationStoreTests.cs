using Im.Testing.Specification;

namespace Im.Storage;

public sealed class InMemoryConversationStoreTests(InMemoryStorageFixture fixture)
    : ConversationStoreSpecification(fixture), IClassFixture<InMemoryStorageFixture>;
