using System.Net;
using Im;
using Im.Cluster;
using Im.ClusterTests.Node;
using Im.Groups;
using Im.Model;
using Im.Rooms;
using Im.Storage.MySql;
using Im.Storage.Redis;
using Im.Transport.Tcp;
using MySql.Data.MySqlClient;

// One node of a cluster for tests: TCP for devices, HTTP for health, figures, groups and the host's sends, both on loopback ports that are given.
//   --tcp PORT --http PORT --mysql CONNECTIONSTRING [--redis CONFIGURATION] [--clock OFFSET]
//   --Im:OPTION VALUE, --Cluster:OPTION VALUE, --Rooms:OPTION VALUE, --Redis:OPTION VALUE, --MySql:OPTION VALUE     any option
var builder = WebApplication.CreateBuilder(args);
var settings = builder.Configuration;
builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Information).AddSimpleConsole(o =>
{
    o.SingleLine = true;
    o.TimestampFormat = "HH:mm:ss.fff ";
});
builder.Logging.AddFilter("Microsoft", LogLevel.Warning);

// Tests ask many times until the status is the one that they wait for.
builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
builder.WebHost.UseUrls($"http://127.0.0.1:{settings["http"]}");
if (settings["clock"] is { } offset)
{
    builder.Services.AddSingleton<TimeProvider>(new ShiftedClock(TimeSpan.Parse(offset)));
}

builder.Services.AddSingleton<Counters>();
await using var dataSource = MySqlClientFactory.Instance.CreateDataSource(settings["mysql"]!);
var im = builder.Services
    .AddImServer(options =>
    {
        options.MaxSendsPerSecond = 1_000_000;
        options.MaxConnectionsPerAddress = options.MaxConnections;
        options.MaxGroupMembers = 200_000;
    })
    .AddUserProvider<TokenUsers>()
    .AddTcpTransport(options => options.Endpoints.Add(
        new TcpEndpointOptions { Address = IPAddress.Loopback, Port = int.Parse(settings["tcp"]!) }))
    .AllowAllRooms()
    .UseMySql(dataSource);
if (settings["redis"] is { } redis)
{
    im.UseRedis(redis);
}

builder.Services.Configure<ImServerOptions>(settings.GetSection("Im"));
builder.Services.Configure<ImClusterOptions>(settings.GetSection("Cluster"));
builder.Services.Configure<ImRoomOptions>(settings.GetSection("Rooms"));
builder.Services.Configure<ImRedisOptions>(settings.GetSection("Redis"));
builder.Services.Configure<ImMySqlOptions>(settings.GetSection("MySql"));
builder.Services.AddHealthChecks().AddImServer();

var app = builder.Build();
var counters = app.Services.GetRequiredService<Counters>();
app.MapGet("/health", async (Microsoft.Extensions.Diagnostics.HealthChecks.HealthCheckService health) =>
{
    var report = await health.CheckHealthAsync();
    var im = report.Entries["im"];
    return Results.Json(new { status = im.Status.ToString(), description = im.Description, data = im.Data.ToDictionary(pair => pair.Key, pair => $"{pair.Value}") });
});
app.MapGet("/figures", () =>
{
    var figures = counters.Read();
    figures["process.memory"] = Environment.WorkingSet;
    figures["gc.heap"] = GC.GetTotalMemory(false);
    return figures;
});
app.MapPost("/away", (string[] guests, Im.Connections.SessionRegistry sessions) =>
{
    var away = guests.ToHashSet();
    foreach (var session in sessions.All.Where(session => away.Contains($"{session.UserId}/{session.Device.DeviceId}")))
    {
        // As in a drain: the client goes on at the next node.
        session.Connection.Close(Im.ImCloseCode.Shutdown, "Go on at another node.");
    }
});
app.MapPost("/sends", async (HostSend[] sends, IImServer server, CancellationToken cancellationToken) =>
{
    var messages = sends.Select(send => new OutgoingMessage
    {
        SenderId = send.SenderId,
        ToUserId = send.ToUserId,
        Content = MessageContent.FromText(send.Text),
        ClientMessageId = send.Text,
    });
    return (await server.Messages.SendAsync([.. messages], cancellationToken)).Select(result => $"{result.Outcome}");
});
app.MapPost("/groups/{id}", async (string id, string? fanout, string[] members, IImServer server, CancellationToken cancellationToken) =>
{
    // A large group grows by as many as one change may have.
    var first = members.Take(1000).ToArray();
    await server.Groups.CreateAsync(
        new NewGroup { GroupId = id, Info = new GroupInfo(id), MemberIds = first, ActorId = "$test", Fanout = fanout }, cancellationToken);
    foreach (var more in members.Skip(1000).Chunk(1000))
    {
        await server.Groups.AddMembersAsync(id, more, "$test", cancellationToken: cancellationToken);
    }
});
await app.RunAsync();
