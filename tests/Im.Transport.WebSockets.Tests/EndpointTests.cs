using System.Net;
using System.Net.WebSockets;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Transport.WebSockets.Tests;

public sealed class EndpointTests
{
    [Theory]
    [InlineData("im.v1.json", "im.v1.json")]
    [InlineData("im.v1.protobuf", "im.v1.protobuf")]
    [InlineData("im.v1.json,im.v1.protobuf", "im.v1.json")]
    [InlineData("im.v1.protobuf,im.v1.json", "im.v1.protobuf")]
    [InlineData("im.v9.json,mqtt,im.v1.json", "im.v1.json")]
    public async Task TheFirstKnownSubprotocolIsTaken(string offered, string taken)
    {
        await using var server = await LiveServer.StartAsync();
        using var client = await server.ConnectAsync(null, options =>
        {
            foreach (var name in offered.Split(','))
            {
                options.AddSubProtocol(name);
            }
        });
        Assert.Equal(taken, client.SubProtocol);
        var handler = await server.Core.NextAsync();
        Assert.Equal(taken == LiveServer.Json ? Im.Protocol.ImCodec.Json : Im.Protocol.ImCodec.Protobuf, handler.Connection.Codec);
        Assert.Equal("127.0.0.1", handler.Connection.RemoteAddress);
        Assert.Equal("websocket", handler.Connection.Transport);
        Assert.Null(handler.Connection.User);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("im.v9.json")]
    [InlineData("IM.V1.JSON")]
    public async Task WithoutAKnownSubprotocolTheAnswerSaysWhatToOffer(string? offered)
    {
        await using var server = await LiveServer.StartAsync();
        var (status, text) = await HandshakeAsync(server, offered is null ? [] : [("Sec-WebSocket-Protocol", offered)]);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("Offer the subprotocol im.v1.protobuf or im.v1.json (Sec-WebSocket-Protocol).\n", text);
    }

    [Fact]
    public async Task AnOrdinaryRequestIsToldToUpgrade()
    {
        await using var server = await LiveServer.StartAsync();
        using var http = new HttpClient();
        var answer = await http.GetAsync(new Uri(server.Http, "/im")).InTime();
        Assert.Equal(HttpStatusCode.UpgradeRequired, answer.StatusCode);
        Assert.Equal("websocket", answer.Headers.Upgrade.ToString());
        Assert.Equal("This endpoint takes WebSockets only.\n", await answer.Content.ReadAsStringAsync().InTime());
    }

    [Theory]
    [InlineData("", null, true)]
    [InlineData("", "http://127.0.0.1", true)]
    [InlineData("", "http://127.0.0.1:1", false)]
    [InlineData("", "http://evil.example", false)]
    [InlineData("", "null", false)]
    [InlineData("*", "http://evil.example", true)]
    [InlineData("*", "null", true)]
    [InlineData("https://a.example", "https://a.example", true)]
    [InlineData("https://a.example", "https://A.EXAMPLE:443", true)]
    [InlineData("https://a.example", "http://a.example", false)]
    [InlineData("https://a.example", "https://a.example:444", false)]
    [InlineData("https://a.example", "https://a.example.evil.example", false)]
    [InlineData("https://a.example", "http://127.0.0.1", false)]
    [InlineData("https://a.example", null, true)]
    [InlineData("https://b.example:8443,https://a.example", "https://b.example:8443", true)]
    public async Task OnlyAllowedOriginsConnect(string allowed, string? origin, bool connects)
    {
        await using var server = await LiveServer.StartAsync(options =>
        {
            foreach (var entry in allowed.Split(',', StringSplitOptions.RemoveEmptyEntries))
            {
                options.AllowedOrigins.Add(entry);
            }
        });

        // The request's Host has no port, as a browser writes it where the port is the scheme's own.
        var headers = new List<(string, string)> { ("Sec-WebSocket-Protocol", LiveServer.Json), ("Host", "127.0.0.1") };
        if (origin is not null)
        {
            headers.Add(("Origin", origin));
        }

        var (status, text) = await HandshakeAsync(server, [.. headers]);
        Assert.Equal(connects ? HttpStatusCode.SwitchingProtocols : HttpStatusCode.Forbidden, status);
        Assert.True(connects || text.Contains("AllowedOrigins", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ThePagesOwnPortIsPartOfItsOrigin()
    {
        await using var server = await LiveServer.StartAsync();
        using var client = await server.ConnectAsync(
            configure: options => options.SetRequestHeader("Origin", $"https://127.0.0.1:{server.Http.Port}"));
        await Assert.ThrowsAsync<WebSocketException>(() => server.ConnectAsync(
            configure: options => options.SetRequestHeader("Origin", "https://127.0.0.1")));
    }

    [Fact]
    public async Task BeforeTheStartAndAfterTheStopTheAnswerIs503()
    {
        await using var server = await LiveServer.StartAsync(accept: false);
        await AssertUnavailableAsync();
        await server.Seam.StartAsync(server.Core, default);
        using (await server.ConnectAsync())
        {
            await server.Seam.StopAcceptingAsync(default);
            await AssertUnavailableAsync();
        }

        async Task AssertUnavailableAsync()
        {
            using var http = new HttpClient();
            using var request = Request(server, [("Sec-WebSocket-Protocol", LiveServer.Json)]);
            var answer = await http.SendAsync(request).InTime();
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(5), answer.Headers.RetryAfter?.Delta);
        }
    }

    [Fact]
    public async Task RequireAuthorizationBringsThePrincipalAndRefusesAnonymous()
    {
        await using var server = await LiveServer.StartAsync(
            build: builder =>
            {
                builder.Services.AddAuthentication("Test").AddScheme<AuthenticationSchemeOptions, HeaderAuthentication>("Test", null);
                builder.Services.AddAuthorization();
            },
            use: app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
            },
            endpoint: static endpoint => endpoint.RequireAuthorization());
        using var client = await server.ConnectAsync(configure: options => options.SetRequestHeader("X-User", "ann"));
        Assert.Equal("ann", (await server.Core.NextAsync()).Connection.User?.Identity?.Name);
        var (status, _) = await HandshakeAsync(server, [("Sec-WebSocket-Protocol", LiveServer.Json)]);
        Assert.Equal(HttpStatusCode.Unauthorized, status);
    }

    [Fact]
    public async Task AHostThatUsesWebSocketsItselfChangesNothing()
    {
        await using var server = await LiveServer.StartAsync(
            use: static app => app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.FromSeconds(1) }));
        var (client, handler) = await server.ConnectBothAsync();
        handler.Send("hello"u8.ToArray());
        Assert.Equal("hello", await client.ReceiveTextAsync());
        client.Dispose();
    }

    [Fact]
    public async Task AWebSocketOverHttp2WorksTheSame()
    {
        await using var server = await LiveServer.StartAsync(build: static builder =>
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2)));
        server.Core.Configure = handler => handler.OnPacket = static (self, packet) =>
        {
            self.Send(packet, new byte[100_000]);
            return true;
        };
        using var handler = new SocketsHttpHandler();
        using var invoker = new HttpMessageInvoker(handler);
        using var client = new ClientWebSocket();
        client.Options.HttpVersion = HttpVersion.Version20;
        client.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        client.Options.AddSubProtocol(LiveServer.Protobuf);
        await client.ConnectAsync(server.Url, invoker, default).InTime();
        var core = await server.Core.NextAsync();
        for (var i = 0; i < 3; i++)
        {
            await client.SendBinaryAsync([1, 2, 3]);
            Assert.Equal(100_003, (await client.ReceiveMessageAsync())!.Length);
        }

        core.Connection.Close(ImCloseCode.Replaced, "over h2");
        Assert.Equal(((int)ImCloseCode.Replaced, "over h2"), await client.ReceiveCloseAsync());
        Assert.Null(await core.Disconnection);
    }

    [Fact]
    public void MapImWithoutTheTransportNamesTheMissingLine()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        var error = Assert.Throws<InvalidOperationException>(() => app.MapIm("/im"));
        Assert.Equal(
            "MapIm needs the WebSocket transport. Add it to the services: builder.Services.AddImServer().AddWebSocketTransport();", error.Message);
    }

    private static HttpRequestMessage Request(LiveServer server, (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Http, "/im"));
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.ParseAdd("websocket");
        request.Headers.Add("Sec-WebSocket-Version", "13");
        request.Headers.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    private static async Task<(HttpStatusCode Status, string Text)> HandshakeAsync(LiveServer server, (string Name, string Value)[] headers)
    {
        using var http = new HttpClient();
        using var request = Request(server, headers);
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).InTime();
        return (answer.StatusCode,
            answer.StatusCode == HttpStatusCode.SwitchingProtocols ? "" : await answer.Content.ReadAsStringAsync().InTime());
    }

    private sealed class HeaderAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-User"] is not [{ } user])
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, user)], Scheme.Name);
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Scheme.Name)));
        }
    }
}
