namespace Im.Storage;

/// <summary>Prepares a storage adapter before the server accepts connections: schema, upgrades, checks.</summary>
/// <remarks>All registered initializers run, one after the other; one that throws stops the host with its message.</remarks>
public interface IStorageInitializer
{
    /// <summary>Called once at start; safe to run again and on several nodes at once.</summary>
    ValueTask InitializeAsync(CancellationToken cancellationToken);
}
