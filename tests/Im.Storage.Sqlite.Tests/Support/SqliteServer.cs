using Im.Model;
using Im.Storage.Sqlite.Internal;
using Im.Testing.Specification;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage.Sqlite;

/// <summary>The stores of one server that has started, made by the verb that hosts call.</summary>
internal sealed class SqliteServer : IAsyncDisposable
{
    private SqliteServer(ServiceProvider services)
    {
        Services = services;
        Stores = services.GetStores();
    }

    public static string Direct { get; } = ConversationId.Direct("ann", "bob");

    public static Audience Both { get; } = To("ann", "bob");

    public ServiceProvider Services { get; }

    public StoreSet Stores { get; }

    public IMessageStore Messages => Stores.Messages;

    public SqliteStorage Storage => Services.GetRequiredService<SqliteStorage>();

    public static async Task<SqliteServer> StartAsync(string database, Action<ImSqliteOptions>? configure = null)
    {
        var services = SqliteFixture.Build(database, configure);
        try
        {
            await services.InitializeAsync();
            return new SqliteServer(services);
        }
        catch
        {
            await services.DisposeAsync();
            throw;
        }
    }

    public async Task<AppendItemResult> SendAsync(string? id = null, string body = "text") =>
        (await Messages.AppendAsync(Batch(Message(Direct, "ann", Both, id: id, body: body)), CancellationToken.None).Soon()).Items[0];

    public async Task<long> HeadAsync() =>
        (await Messages.GetHeadsAsync([TimelineKey.Conversation(Direct)], CancellationToken.None).Soon())[0].Head;

    public async Task<string> GenerationAsync() => await Messages.GetGenerationAsync(CancellationToken.None).Soon();

    /// <summary>Runs a text on the writer's living connection.</summary>
    public async Task ExecuteAsync(string sql) => await Storage.Lanes.Write.RunAsync(
        worker =>
        {
            ((SqliteSession)worker.Session).ExecuteScript(sql);
            return true;
        },
        CancellationToken.None).Soon();

    /// <summary>Asks the writer's connection, or a reader's, for one value.</summary>
    public async Task<string> AskAsync(string sql, bool reader = false) => await (reader ? Storage.Lanes.Read : Storage.Lanes.Write).RunAsync(
        worker =>
        {
            var statement = worker.Session.Prepare(sql);
            var value = statement.Read() ? statement.GetText(0) : "";
            statement.Clear();
            return value;
        },
        CancellationToken.None).Soon();

    public ValueTask DisposeAsync() => Services.DisposeAsync();
}
