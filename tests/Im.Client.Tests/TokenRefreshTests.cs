using Im.Protocol;

namespace Im.Client.Tests;

/// <summary>A connection outlives its token: the client gives the server a newer one in time.</summary>
public sealed class TokenRefreshTests : ClientTest
{
    private const long ServerNow = 1_700_000_000_000;
    private readonly FakeTime _time = new();
    private int _asked;
    private Func<string>? _token;

    [Fact]
    public async Task TheTokenIsRefreshedWhenFourFifthsOfItsLifeAreOverAgainAndAgain()
    {
        using var connection = await ConnectAsync(lifeSeconds: 100);
        for (var round = 0; round < 3; round++)
        {
            await AdvanceAsync(79, due: 80);
            Assert.Equal(1 + round, _asked);
            await AdvanceAsync(1, due: 1);
            var packet = await ReadRefreshAsync(connection);
            Assert.Equal($"token {2 + round}", packet.RefreshToken.Token);
            await AnswerAsync(connection, packet, expiresAtSecond: 100 + ((round + 1) * 80));
        }
    }

    [Fact]
    public async Task AFailedRefreshIsTriedAgainWhileTheTokenLivesThenTheReconnectBringsANewOne()
    {
        using var connection = await ConnectAsync(lifeSeconds: 100);
        _token = () => throw new InvalidOperationException("The token server is away.");
        await AdvanceAsync(80, due: 80);
        await DueInAsync(10);
        Assert.Equal(2, _asked);
        _token = null;
        await AdvanceAsync(10, due: 10);
        var packet = await ReadRefreshAsync(connection);
        await connection.ErrorAsync(packet.RequestId, ImErrorCode.Internal);
        await DueInAsync(5);
        await connection.CloseAsync(ImCloseCode.TokenExpired);
        await connection.AssertClosedAsync();
        await Wait.Until(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(20));
            return Server.HasPending;
        });
        using var next = await Server.AcceptAsync();
        Assert.Equal("token 4", (await next.SignInAsync()).Token);
    }

    [Fact]
    public async Task ARefreshOfTheApplicationsMovesTheNextOne()
    {
        var client = NewTokenClient();
        using var connection = await ConnectAsync(client, s => (s.ServerTimeMs, s.TokenExpiresAtMs, s.IdleTimeoutMs) = (ServerNow, ServerNow + 100_000, 0));
        await AdvanceAsync(40, due: 80);
        var refreshing = client.RefreshTokenAsync();
        await AnswerAsync(connection, await ReadRefreshAsync(connection), expiresAtSecond: 240);
        Assert.Equal(ServerNow + 240_000, (await refreshing.WaitAsync(Wait.Limit))!.Value.ToUnixTimeMilliseconds());
        await AdvanceAsync(159, due: 160);
        Assert.Equal(2, _asked);
        await AdvanceAsync(1, due: 1);
        Assert.Equal("token 3", (await ReadRefreshAsync(connection)).RefreshToken.Token);
    }

    [Fact]
    public async Task ATokenThatNeverExpiresIsNotRefreshed()
    {
        using var connection = await ConnectAsync(lifeSeconds: 0);
        _time.Advance(TimeSpan.FromHours(12));
        await DueInAsync(3600 * 12); // Only the ping.
        Assert.Equal(1, _asked);
    }

    private static async Task<ClientPacket> ReadRefreshAsync(FakeConnection connection)
    {
        var packet = await connection.ReadAsync();
        Assert.Equal(ClientPacket.PacketOneofCase.RefreshToken, packet?.PacketCase);
        return packet!;
    }

    private static Task AnswerAsync(FakeConnection connection, ClientPacket packet, int expiresAtSecond) => connection.SendAsync(new ServerPacket
    {
        RequestId = packet.RequestId,
        TokenRefreshed = new TokenRefreshed { TokenExpiresAtMs = ServerNow + (expiresAtSecond * 1000L) },
    });

    private ImClient NewTokenClient() => NewClient(o =>
    {
        o.TimeProvider = _time;
        o.PingInterval = TimeSpan.FromDays(1);
        o.TokenProvider = _ =>
        {
            var count = Interlocked.Increment(ref _asked);
            return ValueTask.FromResult(_token?.Invoke() ?? $"token {count}");
        };
    });

    private Task<FakeConnection> ConnectAsync(int lifeSeconds) => ConnectAsync(
        NewTokenClient(),
        s => (s.ServerTimeMs, s.TokenExpiresAtMs, s.IdleTimeoutMs) = (ServerNow, lifeSeconds == 0 ? 0 : ServerNow + (lifeSeconds * 1000L), 0));

    /// <summary>Moves the clock when the client waits for its next refresh.</summary>
    private async Task AdvanceAsync(int seconds, int due)
    {
        await DueInAsync(due);
        _time.Advance(TimeSpan.FromSeconds(seconds));
    }

    private Task DueInAsync(int seconds) => Wait.Until(() => _time.Waiting().Contains(TimeSpan.FromSeconds(seconds)));
}
