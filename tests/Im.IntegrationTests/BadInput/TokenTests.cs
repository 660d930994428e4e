using System.Globalization;
using Im.IntegrationTests.Support;
using Im.Protocol;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.BadInput;

/// <summary>Tokens that expire, and providers that fail.</summary>
public sealed class TokenTests
{
    public static TheoryData<Wire> AllWires => new(Wire.Tcp, Wire.WebSocket, Wire.Json);

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task ATokensExpiryEndsTheConnectionUnlessItIsRefreshed(Wire wire)
    {
        await using var server = await StartAsync();
        await using var refreshed = await server.SignInAsync(wire, "alice/1000", "d1");
        var refresh = await refreshed.AskAsync(Refresh("alice/600000"));
        await using var client = await server.SignInAsync(wire, "alice/1000", "d2");

        await client.ReadToCloseAsync(ImCloseCode.TokenExpired);

        Assert.True(refresh.TokenRefreshed.TokenExpiresAtMs > DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeMilliseconds());
        await refreshed.PingAsync();
    }

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task ATokenThatIsOverAlreadySignsNobodyInAndRefreshesNothing(Wire wire)
    {
        await using var server = await StartAsync();
        await using (var late = await server.ConnectAsync(wire))
        {
            await late.WriteAsync(new ClientPacket { SignIn = new SignIn { Token = "alice/-1000", DeviceId = "d1" } });
            var (before, _) = await late.ReadToCloseAsync(ImCloseCode.TokenExpired);
            Assert.Equal((int)ImErrorCode.TokenExpired, Assert.Single(before).Error.Code);
        }

        await using var client = await server.SignInAsync(wire, "alice");
        await client.AskForErrorAsync(Refresh("alice/-1000"), ImErrorCode.TokenExpired);
        await client.AskForErrorAsync(Refresh("bob/600000"), ImErrorCode.BadToken);
        await client.PingAsync();
    }

    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task AProviderThatThrowsSignsNobodyIn(Wire wire)
    {
        await using var server = await StartAsync();
        await using var bystander = await server.SignInAsync(wire, "bystander");
        var error = await SignInForErrorAsync(server, wire, "throws", ImErrorCode.Internal, ImCloseCode.InternalError);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        await bystander.AskForErrorAsync(Refresh("throws"), ImErrorCode.Internal);
        await bystander.PingAsync();
        Assert.Single(server.Connections.All, connection => connection.Session is not null);
        Assert.Equal(2, server.Logs.Errors.Count);
    }

    // A host that takes ids from tokens: a client cannot make it fail, nor fill its log.
    [Theory]
    [MemberData(nameof(AllWires))]
    public async Task AProviderThatAnswersWithAnIdThatIsNoneSignsNobodyIn(Wire wire)
    {
        await using var server = await StartAsync();
        foreach (var token in new[] { "no/id\0", "$system", new string('x', 65) })
        {
            await SignInForErrorAsync(server, wire, token, ImErrorCode.BadToken, ImCloseCode.BadToken);
        }

        Assert.Empty(server.Logs.Errors);
    }

    private static async Task<Error> SignInForErrorAsync(TestServer server, Wire wire, string token, ImErrorCode code, ImCloseCode closeCode)
    {
        await using var client = await server.ConnectAsync(wire);
        await client.WriteAsync(new ClientPacket { SignIn = new SignIn { Token = token, DeviceId = "d1" } });
        var (before, _) = await client.ReadToCloseAsync(closeCode);
        Assert.Equal((int)code, Assert.Single(before).Error.Code);
        return before[0].Error;
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(
        options => options.HeartbeatInterval = TimeSpan.FromMilliseconds(20), im => im.AddUserProvider<ExpiringUsers>());

    private static ClientPacket Refresh(string token) => new() { RefreshToken = new RefreshToken { Token = token } };

    // A token is a user's id, and after a slash for how many milliseconds.
    private sealed class ExpiringUsers : IUserProvider
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
        {
            var parts = request.Token.Split('/');
            return parts switch
            {
                ["throws"] => throw new InvalidOperationException("secret"),
                ["no", _] => ValueTask.FromResult(AuthenticationResult.Success("\0")),
                [var user] => ValueTask.FromResult(AuthenticationResult.Success(user)),
                _ => ValueTask.FromResult(AuthenticationResult.Success(
                    parts[0], DateTimeOffset.UtcNow.AddMilliseconds(int.Parse(parts[1], CultureInfo.InvariantCulture)))),
            };
        }

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Select(userId => new ImUser(userId))]);
    }
}
