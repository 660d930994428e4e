using System.Data.Common;
using System.Diagnostics.Metrics;
using System.Globalization;
using Im;
using Im.Conversations;
using Im.Model;
using Im.Outbox;
using Im.Outbox.CrashHost;
using Im.Users;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MySql.Data.MySqlClient;

// CrashHost STORE DATABASE WRITERS run UNTIL     makes orders up to UNTIL: "ready" when it begins, "done" when they are made; ends with its input
// CrashHost STORE DATABASE WRITERS read          waits until the outbox is empty, prints "USER TEXT" for each stored message, in order, and "end"
// Both print "duplicate" for each message that a life before had sent and not removed.
// STORE (the IM server's) and DATABASE (the host's): sqlite:CONNECTION or mysql:CONNECTION.
SQLitePCL.Batteries_V2.Init();
var writers = int.Parse(args[2], CultureInfo.InvariantCulture);
var database = Open(args[1]);

var builder = Host.CreateEmptyApplicationBuilder(null);
builder.Logging.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning);
builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
var im = builder.Services.AddImServer().AddUserProvider<Everybody>();
_ = IsSqlite(args[0]) ? im.UseSqlite(Connection(args[0])) : im.UseMySql(Open(args[0]));
im.AddImOutbox(database, o => (o.PollInterval, o.LeaseDuration) = (TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(150)));
using var listener = new MeterListener { InstrumentPublished = (instrument, it) => it.EnableMeasurementEvents(instrument) };
listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) =>
{
    if (instrument.Name == "im.outbox.messages" && (string?)tags[0].Value == "duplicate")
    {
        Console.WriteLine("duplicate");
    }
});
listener.Start();
using var host = builder.Build();
await host.StartAsync();
if (args[3] == "run")
{
    var orders = new Orders(database, host.Services.GetRequiredService<IImOutbox>(), writers);
    var until = int.Parse(args[4], CultureInfo.InvariantCulture);
    Console.WriteLine("ready");
    await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(() => orders.WriteAsync(writer, until, CancellationToken.None))));
    Console.WriteLine("done");
    await Console.In.ReadToEndAsync();
}
else
{
    await using (var connection = await database.OpenConnectionAsync())
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM im_outbox WHERE kind = 1";
        while (Convert.ToInt64(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture) > 0)
        {
            await Task.Delay(20);
        }
    }

    var conversations = host.Services.GetRequiredService<IImServer>().Conversations;
    for (var user = 0; user < Orders.Users; user++)
    {
        foreach (var entry in await ReadAsync(conversations, Orders.UserOf(user)))
        {
            Console.WriteLine($"{Orders.UserOf(user)} {entry.Content!.Text}");
        }
    }

    Console.WriteLine("end");
}

await host.StopAsync();

static bool IsSqlite(string argument) => argument.StartsWith("sqlite:", StringComparison.Ordinal);

static string Connection(string argument) => argument[(argument.IndexOf(':', StringComparison.Ordinal) + 1)..];

static DbDataSource Open(string argument) =>
    (IsSqlite(argument) ? (DbProviderFactory)SqliteFactory.Instance : MySqlClientFactory.Instance).CreateDataSource(Connection(argument));

static async Task<List<ImEntry>> ReadAsync(IImConversations conversations, string userId)
{
    var entries = new List<ImEntry>();
    IReadOnlyList<ImEntry> page;
    do
    {
        page = await conversations.ReadHistoryAsync(
            userId, ConversationId.Direct("$orders", userId), entries.Count == 0 ? null : entries[0].Seq, 1000);
        entries.InsertRange(0, page);
    }
    while (page.Count > 0);
    return entries;
}

internal sealed class Everybody : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(AuthenticationResult.BadToken());

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Select(userId => new ImUser(userId))]);
}
