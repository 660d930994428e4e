using Im.Testing.Specification;
using Im.Timelines;

namespace Im.Storage.MySql.Tests.Support;

/// <summary>The MySQL stores for the suites, over a database of their own.</summary>
public class MySqlStorageFixture(MySqlServer server) : IStorageFixture, IAsyncLifetime
{
    private static readonly string[] Tables =
    [
        "im_meta", "im_conversations", "im_inboxes", "im_entries", "im_inbox_chunks", "im_sent", "im_commits", "im_groups", "im_members",
        "im_stays", "im_read_parts", "im_devices", "im_device_acks", "im_queued_sends",
    ];

    private readonly Dictionary<StoreSet, MySqlStores> _open = new(ReferenceEqualityComparer.Instance);
    private readonly string _database = server.CreateDatabase();

    protected MySqlServer Server => server;

    protected virtual int Port => server.Server.Port;

    private string ConnectionString => server.Server.ConnectionString(_database, port: Port);

    public virtual Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync()
    {
        foreach (var stores in _open.Values)
        {
            await stores.DisposeAsync();
        }

        MySqlStores.ClosePool(ConnectionString);
    }

    public async ValueTask<StoreSet> CreateAsync()
    {
        var stores = await MySqlStores.OpenAsync(ConnectionString);
        lock (_open)
        {
            _open.Add(stores.Set, stores);
        }

        return stores.Set;
    }

    public async ValueTask CloseAsync(StoreSet stores)
    {
        MySqlStores? open;
        lock (_open)
        {
            _open.Remove(stores, out open);
        }

        if (open is not null)
        {
            await open.DisposeAsync();
        }
    }

    public ValueTask ResetAsync()
    {
        // Deleting few rows takes a fraction of the time that truncating or creating tables does.
        if (Convert.ToInt64(server.Query($"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{_database}'")) > 0)
        {
            server.Execute("BEGIN; " + string.Concat(Tables.Select(table => $"DELETE FROM {table}; ")) + "COMMIT", _database);
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask DropBodyAsync(string conversationId, ConversationSeq seq)
    {
        server.Execute($"UPDATE im_entries SET body = '', flags = flags | 1 WHERE conversation_id = '{conversationId}' AND seq = {seq.Value}", _database);
        return ValueTask.CompletedTask;
    }
}
