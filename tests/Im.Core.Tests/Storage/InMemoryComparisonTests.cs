using Im.Testing.Specification;
using Xunit.Abstractions;

namespace Im.Storage;

/// <summary>The comparison that every other store passes: the in-memory stores are equal to themselves.</summary>
public sealed class InMemoryComparisonTests(InMemoryStorageFixture fixture, ITestOutputHelper output)
    : StorageModelSpecification(fixture, output), IClassFixture<InMemoryStorageFixture>;
