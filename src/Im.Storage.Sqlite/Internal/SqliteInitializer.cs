using Im.Storage.Relational.Stores;

namespace Im.Storage.Sqlite.Internal;

/// <summary>Prepares the file at start, unless a later <c>Use…</c> has chosen another store.</summary>
internal sealed class SqliteInitializer(SqliteStorage storage, IMessageStore store) : IStorageInitializer
{
    public ValueTask InitializeAsync(CancellationToken cancellationToken) => store is RelationalMessageStore messages && messages.IsOver(storage.Lanes)
        ? storage.InitializeAsync(cancellationToken)
        : ValueTask.CompletedTask;
}
