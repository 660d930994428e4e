namespace Im.Client;

/// <summary>Keeps a device's cursors over restarts.</summary>
/// <remarks>
/// The client calls one method at a time and saves at intervals, not for each entry. A save that is lost, or older than what the application
/// has stored, only means that some entries come again after a restart; one that is <em>newer</em> would lose entries, so keep the cursors
/// where the application keeps its entries, or somewhere that is not more durable. One store serves one user on one device.
/// </remarks>
public interface ICursorStore
{
    /// <summary>The cursors of the last save; <see cref="ImCursors.None"/> where there are none. Called once, when the client connects.</summary>
    ValueTask<ImCursors> LoadAsync(CancellationToken cancellationToken);

    /// <summary>Replaces the cursors, all or nothing.</summary>
    ValueTask SaveAsync(ImCursors cursors, CancellationToken cancellationToken);
}
