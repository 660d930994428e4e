namespace Im.Storage;

/// <summary>Tries whether the storage takes writes, for health checks. Optional: a storage without one counts as healthy until a commit fails.</summary>
public interface IStorageProbe
{
    /// <summary>Writes something small and commits it. Throws <see cref="ImStorageException"/> when that fails.</summary>
    ValueTask ProbeAsync(CancellationToken cancellationToken);
}
