using Im.Client;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Testing.Tests;

public sealed class ImTestHostTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task AMessageArrivesOnceAndInOrder()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob");
        for (var i = 1; i <= 50; i++)
        {
            var ack = await ann.SendTextAsync("bob", "text " + i).WaitAsync(Limit);
            Assert.Equal((SendResult.Stored, i), (ack.Result, ack.ConversationSeq));
        }

        for (var i = 1; i <= 50; i++)
        {
            var entry = await bob.ReceiveAsync();
            Assert.Equal(("ann", "phone", "text " + i, i), (entry.SenderId, entry.SenderDeviceId, entry.Content.Text, entry.ConversationSeq));
        }

        Assert.Equal(50, (await ann.WaitForMessagesAsync(50)).Count);
        Assert.Equal(50, bob.Messages.Count);
        Assert.Equal(host.Time.GetUtcNow().ToUnixTimeMilliseconds(), bob.Messages[0].TimeMs);
    }

    [Fact]
    public async Task ADeviceThatIsCutResumesAndGetsWhatItMissedExactlyOnce()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob");
        await ann.SendTextAsync("bob", "before").WaitAsync(Limit);
        Assert.Equal("before", (await bob.ReceiveAsync()).Content.Text);

        await host.CutAsync(bob);
        Assert.False(bob.IsConnected);
        Assert.Empty(await host.Server.Sessions.GetSessionsAsync("bob"));
        for (var i = 1; i <= 5; i++)
        {
            await ann.SendTextAsync("bob", "meanwhile " + i).WaitAsync(Limit);
        }

        Assert.Single(bob.Messages);
        await host.ReconnectAsync(bob);
        await ann.SendTextAsync("bob", "after").WaitAsync(Limit);

        var messages = await bob.WaitForMessagesAsync(7);
        Assert.Equal(
            ["before", "meanwhile 1", "meanwhile 2", "meanwhile 3", "meanwhile 4", "meanwhile 5", "after"],
            messages.Select(entry => entry.Content.Text));
        Assert.Single(bob.Events.OfType<ImResetEvent>());
    }

    [Fact]
    public async Task AMessageWhoseAckWasLostIsStoredOnce()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob");
        host.HoldAnswers(ann);
        var sending = ann.SendTextAsync("bob", "once");
        await bob.ReceiveAsync();
        Assert.False(sending.IsCompleted);

        await host.CutAsync(ann);
        Assert.False(sending.IsCompleted);
        await host.ReconnectAsync(ann);

        var ack = await sending.WaitAsync(Limit);
        Assert.Equal((SendResult.Duplicate, 1L), (ack.Result, ack.ConversationSeq));
        await ann.SendTextAsync("bob", "next").WaitAsync(Limit);
        await bob.WaitForMessagesAsync(2);
        Assert.Equal(["once", "next"], bob.Messages.Select(entry => entry.Content.Text));
    }

    [Fact]
    public async Task HeldAnswersArriveWhenTheyAreReleased()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob");
        host.HoldAnswers(bob);
        await ann.SendTextAsync("bob", "held").WaitAsync(Limit);
        await ann.WaitForMessagesAsync(1);
        Assert.Empty(bob.Messages);
        host.ReleaseAnswers(bob);
        Assert.Equal("held", (await bob.ReceiveAsync()).Content.Text);
    }

    [Fact]
    public async Task EveryDeviceOfAUserHasEverything()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var phone = await host.ConnectAsync("ann", "phone");
        var web = await host.ConnectAsync("ann", "web");
        var bob = await host.ConnectAsync("bob");
        await phone.SendTextAsync("bob", "from the phone").WaitAsync(Limit);
        await bob.ReceiveAsync();
        await bob.SendTextAsync("ann", "to both").WaitAsync(Limit);

        Assert.Equal("from the phone", (await web.ReceiveAsync()).Content.Text);
        Assert.Equal("to both", (await web.ReceiveAsync()).Content.Text);
        Assert.Equal("to both", (await phone.ReceiveAsync()).Content.Text);
        Assert.Equal(2, (await phone.WaitForMessagesAsync(2)).Count);
        Assert.Equal(3, host.Devices.Count);
        Assert.Equal(["phone", "web"], (await host.Server.Sessions.GetSessionsAsync("ann")).Select(session => session.Device.DeviceId).Order());
    }

    [Fact]
    public async Task FakeTimeExpiresAnIdleConnection()
    {
        await using var host = await ImTestHost.StartAsync(
            im => im.Services.Configure<ImServerOptions>(options => options.IdleTimeout = TimeSpan.FromSeconds(90))).WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        host.Time.Advance(TimeSpan.FromSeconds(80));
        await ann.SendTextAsync("ann", "alive").WaitAsync(Limit);
        host.Time.Advance(TimeSpan.FromSeconds(80));
        await ann.SendTextAsync("ann", "still alive").WaitAsync(Limit);
        host.Time.Advance(TimeSpan.FromSeconds(92));

        Assert.Equal(ImCloseCode.Idle, (await ann.WaitForCloseAsync()).Code);

        // The client comes back by itself.
        await ann.SendTextAsync("ann", "back").WaitAsync(Limit);
    }

    [Fact]
    public async Task AnHourPassesWithoutCuttingAnybody()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        var session = (await host.Server.Sessions.GetSessionsAsync("ann")).Single();
        host.Time.Advance(TimeSpan.FromHours(1));
        var ack = await ann.SendTextAsync("ann", "an hour later").WaitAsync(Limit);

        Assert.Equal(host.Time.GetUtcNow(), ack.Time);
        Assert.Equal(session.ConnectionId, (await host.Server.Sessions.GetSessionsAsync("ann")).Single().ConnectionId);
    }

    [Fact]
    public async Task ATokenExpiresByTheHostsClock()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        host.Users.TokenLifetime = TimeSpan.FromMinutes(10);
        var ann = await host.ConnectAsync("ann");
        host.Time.Advance(TimeSpan.FromMinutes(9));
        Assert.True(ann.IsConnected);
        host.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(ImCloseCode.TokenExpired, (await ann.WaitForCloseAsync()).Code);
    }

    [Fact]
    public async Task ARestartKeepsWhatWasStoredAndTheDevicesGoOn()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob");
        var cid = await host.ConnectAsync("cid");
        await ann.SendTextAsync("bob", "1").WaitAsync(Limit);
        await bob.ReceiveAsync();
        await host.CutAsync(cid);
        var server = host.Server;
        await host.RestartAsync().WaitAsync(Limit);
        Assert.NotSame(server, host.Server);
        Assert.True(ann.IsConnected && bob.IsConnected && !cid.IsConnected);

        Assert.Equal(2, (await ann.SendTextAsync("bob", "2").WaitAsync(Limit)).ConversationSeq);
        Assert.Equal("2", (await bob.ReceiveAsync()).Content.Text);
        Assert.Equal(["1", "2"], bob.Messages.Select(entry => entry.Content.Text));
        Assert.Single(bob.Events.OfType<ImResetEvent>());
        Assert.Equal(ImCloseCode.Shutdown, (await bob.WaitForCloseAsync()).Code);
        await host.ReconnectAsync(cid);
        await cid.SendTextAsync("bob", "3").WaitAsync(Limit);
        Assert.Equal("3", (await bob.ReceiveAsync()).Content.Text);
    }

    [Fact]
    public async Task ADeviceThatIsStartedAgainGoesOnWhereItStopped()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob");
        await ann.SendTextAsync("bob", "1").WaitAsync(Limit);
        await bob.ReceiveAsync();
        await bob.DisposeAsync();
        await ann.SendTextAsync("bob", "2").WaitAsync(Limit);

        bob = await host.ConnectAsync("bob");
        Assert.Equal("2", (await bob.ReceiveAsync()).Content.Text);
        Assert.Empty(bob.Events.OfType<ImResetEvent>());
        Assert.Single(bob.Messages);
    }

    [Fact]
    public async Task TheCallbacksServicesReplaceTheBuiltInOnes()
    {
        await using var host = await ImTestHost.StartAsync(im => im.AddUserProvider<OnlyAnn>().AddMessageInterceptor<Shout>()).WaitAsync(Limit);
        var refused = await Assert.ThrowsAsync<ImClientException>(() => host.ConnectAsync("bob").WaitAsync(Limit));
        Assert.Equal(ImErrorCode.BadToken, refused.Code);
        var ann = await host.ConnectAsync("ann", token: "secret");
        await ann.SendTextAsync("ann", "hello").WaitAsync(Limit);
        Assert.Equal("HELLO", (await ann.WaitForMessagesAsync(1))[0].Content.Text);
        Assert.Single(host.Devices);
    }

    [Fact]
    public async Task TheHostsOwnCodeSendsToDevices()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var bob = await host.ConnectAsync("bob");
        host.Users.Remove("eve");
        await host.Server.Groups.CreateAsync(
            new Groups.NewGroup { GroupId = "team", Info = new Model.GroupInfo("Team"), MemberIds = ["ann", "bob"], ActorId = "ann" })
            .AsTask().WaitAsync(Limit);
        await bob.WaitForAsync<ImEntryEvent>(item => item.Entry.GroupCreated is not null);
        var ann = await host.ConnectAsync("ann");
        await bob.SendTextAsync(ImTarget.Conversation(ConversationId.Group("team")), "hi all").WaitAsync(Limit);
        Assert.Equal("hi all", (await ann.ReceiveAsync()).Content.Text);
        var unknown = await Assert.ThrowsAsync<ImClientException>(() => ann.SendTextAsync("eve", "?").WaitAsync(Limit));
        Assert.Equal(ImErrorCode.UnknownUser, unknown.Code);
    }

    [Fact]
    public async Task TheStoresOfAHostThatChoosesNoneOutliveARestart()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var store = host.Services.GetRequiredService<IMessageStore>();
        Assert.NotNull(host.Services.GetService<IRetentionStore>());
        await host.RestartAsync().WaitAsync(Limit);
        Assert.Same(store, host.Services.GetRequiredService<IMessageStore>());
    }

    [Fact]
    public async Task AWaitThatIsInVainSaysWhatCameInstead()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        await ann.SendTextAsync("ann", "hello").WaitAsync(Limit);
        await ann.WaitForMessagesAsync(1);
        host.WaitLimit = TimeSpan.FromMilliseconds(200);
        var error = await Assert.ThrowsAsync<TimeoutException>(() => ann.WaitForMessagesAsync(2));
        Assert.Contains("ann's device phone waited 0.2 s for 2 messages", error.Message);
        Assert.Contains("ann: \"hello\"", error.Message);
    }

    [Fact]
    public async Task ADeviceMovesToASecondNodeAndGoesOnWhereItWas()
    {
        await using var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var second = await host.AddNodeAsync().WaitAsync(Limit);
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", node: second);
        await ann.SendTextAsync("bob", "across").WaitAsync(Limit);
        Assert.Equal("across", (await bob.ReceiveAsync()).Content.Text);
        await host.MoveAsync(bob, host.Nodes[0]).WaitAsync(Limit);
        Assert.Equal(host.Nodes[0], bob.Node);
        await ann.SendTextAsync("bob", "here").WaitAsync(Limit);
        Assert.Equal("here", (await bob.ReceiveAsync()).Content.Text);
        Assert.Equal(2, bob.Messages.Count);
    }

    [Fact]
    public async Task AHostCanBeDisposedTwiceAndWithDevicesInAnyState()
    {
        var host = await ImTestHost.StartAsync().WaitAsync(Limit);
        var (cut, _, gone) = (await host.ConnectAsync("ann"), await host.ConnectAsync("bob"), await host.ConnectAsync("cid"));
        await host.CutAsync(cut);
        await gone.DisposeAsync();
        await host.DisposeAsync().AsTask().WaitAsync(Limit);
        await host.DisposeAsync().AsTask().WaitAsync(Limit);
        Assert.Throws<ObjectDisposedException>(() => host.Server);
    }

    [Fact]
    public async Task AServerThatCannotStartSaysWhy() =>
        await Assert.ThrowsAnyAsync<Exception>(() => ImTestHost.StartAsync(
            im => im.Services.Configure<ImServerOptions>(options => options.MaxBodyBytes = -1)).WaitAsync(Limit));

    private sealed class Shout : IMessageInterceptor
    {
        public ValueTask<InterceptionResult> BeforeStoreAsync(InterceptedMessage message, CancellationToken cancellationToken) =>
            new(InterceptionResult.Replace(message.Content with { Text = message.Content.Text.ToUpperInvariant() }));
    }

    private sealed class OnlyAnn : IUserProvider
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            new(request.Token == "secret" ? AuthenticationResult.Success("ann") : AuthenticationResult.BadToken());

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            new([.. userIds.Where(id => id == "ann").Select(id => new ImUser(id))]);
    }
}
