using Im.Storage.Relational;
using Im.Storage.Sqlite.Internal;
using Im.Testing.Specification;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Storage.Sqlite;

/// <summary>A database in a folder of its own, opened through <c>UseSqlite</c>; one for each test class.</summary>
public sealed class SqliteFixture : IStorageFixture, ICommitFaults, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("im-sqlite-").FullName;
    private readonly Dictionary<StoreSet, ServiceProvider> _open = [];
    private readonly SqlCommitHook _commits = new();

    public string? OneNodeOnly => "A SQLite database belongs to one server.";

    /// <summary>The database's file.</summary>
    public string File => Path.Combine(_folder, "im.db");

    public async ValueTask<StoreSet> CreateAsync()
    {
        // The disk's flushes are not what the suites test.
        var services = Build(File, options => options.Synchronous = ImSqliteSynchronous.Normal, _commits);
        await services.InitializeAsync();
        var stores = services.GetStores();
        _open.Add(stores, services);
        return stores;
    }

    public ValueTask CloseAsync(StoreSet stores) => _open.Remove(stores, out var services) ? services.DisposeAsync() : ValueTask.CompletedTask;

    public ValueTask ResetAsync()
    {
        foreach (var file in Directory.GetFiles(_folder))
        {
            System.IO.File.Delete(file);
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask DropBodyAsync(string conversationId, ConversationSeq seq)
    {
        var storage = _open.Values.Single().GetRequiredService<SqliteStorage>();
        await storage.Lanes.Write.WriteAsync(
            session => session.Prepare("UPDATE im_entries SET body = x'', flags = flags | 1 WHERE conversation_id = @p1 AND seq = @p2")
                .AddId(conversationId).Add(seq.Value).Execute(),
            CancellationToken.None);
    }

    public void FailNextCommit(CommitFault fault)
    {
        (_commits.Before, _commits.After) = fault == CommitFault.BeforeItHappens ? ((Action?)Fail, (Action?)null) : (null, Fail);

        void Fail()
        {
            (_commits.Before, _commits.After) = (null, null);
            throw new IOException("The connection is lost.");
        }
    }

    public void Dispose()
    {
        foreach (var services in _open.Values)
        {
            services.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>A host's services with the database chosen.</summary>
    internal static ServiceProvider Build(string database, Action<ImSqliteOptions>? configure = null, SqlCommitHook? commits = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        if (commits is not null)
        {
            services.AddSingleton(commits);
        }

        services.AddImServer().UseSqlite(database, configure);
        return services.BuildServiceProvider();
    }
}
