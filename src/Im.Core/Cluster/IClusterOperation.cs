namespace Im.Cluster;

/// <summary>Something that one node asks another to do or to tell. Found by its name; bodies are JSON, so that neighbouring versions understand each other.</summary>
internal interface IClusterOperation
{
    string Name { get; }

    ValueTask<byte[]> HandleAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken);
}
