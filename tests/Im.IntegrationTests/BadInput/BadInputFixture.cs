using Im.Groups;
using Im.IntegrationTests.Support;

namespace Im.IntegrationTests.BadInput;

/// <summary>A server with a connection that must never notice what others do to it.</summary>
public sealed class BadInputFixture : IAsyncLifetime
{
    private TestServer? _server;
    private IWireClient _bystander = null!;
    private int _lastUser;

    internal TestServer Server => _server!;

    /// <summary>A user that no other test uses.</summary>
    public string NewUser() => $"u{Interlocked.Increment(ref _lastUser)}";

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        _bystander = await Server.SignInAsync(Wire.Tcp, "bystander");
        await Server.Im.Groups.CreateAsync(new NewGroup
        {
            GroupId = "others", Info = new Model.GroupInfo("Others"), MemberIds = ["bystander", "somebody"], ActorId = "$test",
        });
        await Server.Im.Groups.CreateAsync(new NewGroup
        {
            GroupId = "dissolved", Info = new Model.GroupInfo("Dissolved"), MemberIds = ["bystander"], ActorId = "$test",
        });
        await Server.Im.Groups.DissolveAsync("dissolved", "$test");
    }

    /// <summary>The other connection is as it was, and the server has nothing to complain of.</summary>
    internal async Task AssertUndisturbedAsync()
    {
        await _bystander.PingAsync();
        Assert.Empty(Server.Logs.Errors);
    }

    public async Task DisposeAsync()
    {
        await _bystander.DisposeAsync();
        await Server.DisposeAsync();
    }
}
