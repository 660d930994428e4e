namespace Im.ClusterTests;

/// <summary>Tests that share two nodes.</summary>
[CollectionDefinition(Name)]
public sealed class SharedClusterCollection : ICollectionFixture<SharedCluster>
{
    internal const string Name = "two nodes";
}
