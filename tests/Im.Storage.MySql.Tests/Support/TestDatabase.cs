using Im.LocalServers;
using Im.Testing.Specification;
using Im.Timelines;

namespace Im.Storage.MySql.Tests.Support;

/// <summary>A database of one test and the nodes that work on it; checks at the end what must always hold.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly List<MySqlStores> _nodes = [];
    private readonly HashSet<string> _connectionStrings = [];

    public TestDatabase(MariaDbServer server)
    {
        Server = server;
        Name = $"im_{Guid.NewGuid():n}"[..16];
        MySqlServer.Execute(server, $"CREATE DATABASE {Name}");
    }

    public MariaDbServer Server { get; }

    public string Name { get; }

    public string ConnectionString => Server.ConnectionString(Name);

    /// <summary>Opens the stores of one more node.</summary>
    public async Task<MySqlStores> OpenAsync(Action<ImMySqlOptions>? configure = null, string? connectionString = null)
    {
        connectionString ??= ConnectionString;
        lock (_nodes)
        {
            _connectionStrings.Add(connectionString);
        }

        var node = await MySqlStores.OpenAsync(connectionString, configure).WaitAsync(TimeSpan.FromSeconds(60));
        lock (_nodes)
        {
            _nodes.Add(node);
        }

        return node;
    }

    public void Execute(string sql) => MySqlServer.Execute(Server, sql, Name);

    public object? Query(string sql) => MySqlServer.Query(Server, sql, Name);

    public long Count(string sql) => Convert.ToInt64(Query(sql));

    /// <summary>Every timeline is whole: entries and chunks without holes, overlaps or duplicates, heads that agree with them, ids claimed once.</summary>
    public async Task CheckAsync(MySqlStores node, IEnumerable<string> conversations, IEnumerable<string> users)
    {
        var all = new HashSet<string>();
        foreach (var conversation in conversations)
        {
            var head = (await node.Messages.GetHeadsAsync([TimelineKey.Conversation(conversation)], CancellationToken.None).Soon())[0];
            Assert.Equal(head.Head, Count($"SELECT COUNT(*) FROM im_entries WHERE conversation_id = '{conversation}'"));
            if (head.Head == 0)
            {
                continue;
            }

            var entries = await node.Messages.ReadEntriesAsync(
                [new Run(conversation, new(1), (int)head.Head)], int.MaxValue, CancellationToken.None).Soon();
            Assert.Equal(Enumerable.Range(1, (int)head.Head).Select(i => (long)i), entries.Select(entry => entry.Seq.Value));
            Assert.Equal(head.Ordinal, entries[^1].Ordinal);
            Assert.All(entries, entry => Assert.False(entry.IsGone));
            Assert.All(entries, entry => Assert.True(all.Add(entry.SenderId + "/" + entry.ClientMessageId), $"{entry.ClientMessageId} twice"));
        }

        foreach (var user in users)
        {
            var page = (await node.Messages.ReadInboxesAsync([new InboxRead(user, new(0), int.MaxValue)], CancellationToken.None).Soon())[0];
            Assert.Equal(page.Head.Head, page.Runs.Sum(run => run.Count));
            Assert.Equal(page.Head.Head, Count($"SELECT COALESCE(SUM(last_seq - first_seq + 1), 0) FROM im_inbox_chunks WHERE user_id = '{user}'"));
            foreach (var runs in page.Runs.GroupBy(run => run.ConversationId))
            {
                var next = 1L;
                foreach (var run in runs)
                {
                    Assert.Equal(next, run.First.Value);
                    next = run.Last.Value + 1;
                }
            }
        }

        Assert.Equal(all.Count, Count("SELECT COUNT(*) FROM im_sent"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }

        foreach (var connectionString in _connectionStrings)
        {
            MySqlStores.ClosePool(connectionString);
        }
    }
}
