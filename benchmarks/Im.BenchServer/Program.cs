using Im;
using Im.BenchServer;
using Im.Transport.Tcp;
using Im.Transport.WebSockets;

// The server that Im.LoadGenerator starts and measures: TCP and WebSocket on free loopback ports, a store, a control channel.
//   --store memory|sqlite|mysql --connection TEXT
//   --Im:OPTION VALUE, --Rooms:OPTION VALUE, --Tcp:OPTION VALUE, --WebSockets:OPTION VALUE, --Sqlite:OPTION VALUE, --MySql:OPTION VALUE     any option
var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning).AddSimpleConsole(o => o.SingleLine = true);
builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
builder.WebHost.UseUrls("http://127.0.0.1:0");

var im = builder.Services
    .AddImServer(options =>
    {
        // One address is all clients here, and they send as fast as they can. Everything else is as in a host that sets nothing.
        options.MaxConnectionsPerAddress = options.MaxConnections;
        options.MaxSendsPerSecond = 1_000_000;
        options.MaxGroupMembers = 100_000;
    })
    .AddUserProvider<BenchUsers>()
    .AddTcpTransport(options => options.Endpoints.Add(new TcpEndpointOptions { Address = System.Net.IPAddress.Loopback, Port = 0 }))
    .AddWebSocketTransport()
    .AllowAllRooms();
builder.Services.Configure<ImServerOptions>(builder.Configuration.GetSection("Im"));
builder.Services.Configure<ImRoomOptions>(builder.Configuration.GetSection("Rooms"));
builder.Services.Configure<TcpTransportOptions>(builder.Configuration.GetSection("Tcp"));
builder.Services.Configure<WebSocketTransportOptions>(builder.Configuration.GetSection("WebSockets"));
Stores.Use(im, builder.Configuration);
builder.Services.AddSingleton<Control>();

var app = builder.Build();
app.MapIm("/im");
await app.StartAsync();

var tcp = app.Services.GetRequiredService<ITcpTransportEndpoints>().BoundEndpoints[0];
var web = new Uri(app.Urls.Single());
Console.Out.WriteLine($"ready {tcp.Port} {web.Port}");
app.Services.GetRequiredService<Control>().Start();
await app.WaitForShutdownAsync();
