namespace Im.Client;

/// <summary>Keeps cursors for as long as the object lives: every start of the process begins with a reset. Thread-safe.</summary>
public sealed class MemoryCursorStore : ICursorStore
{
    private volatile ImCursors _cursors = ImCursors.None;

    /// <summary>The cursors of the last save.</summary>
    public ImCursors Current => _cursors;

    /// <inheritdoc/>
    public ValueTask<ImCursors> LoadAsync(CancellationToken cancellationToken) => ValueTask.FromResult(_cursors);

    /// <inheritdoc/>
    public ValueTask SaveAsync(ImCursors cursors, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(cursors);
        _cursors = cursors;
        return ValueTask.CompletedTask;
    }
}
