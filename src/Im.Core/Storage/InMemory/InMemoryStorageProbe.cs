namespace Im.Storage.InMemory;

/// <summary>Memory takes writes as long as there is a process.</summary>
internal sealed class InMemoryStorageProbe : IStorageProbe
{
    public ValueTask ProbeAsync(CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled(cancellationToken) : ValueTask.CompletedTask;
}
