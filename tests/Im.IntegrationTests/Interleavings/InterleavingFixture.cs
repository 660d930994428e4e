using Im.IntegrationTests.Support;

namespace Im.IntegrationTests.Interleavings;

/// <summary>A server whose pages are small, so that a backlog is several of them.</summary>
public sealed class InterleavingFixture : IAsyncLifetime
{
    private TestServer? _server;

    internal TestServer Server => _server!;

    public async Task InitializeAsync() => _server = await TestServer.StartAsync(options => options.MaxPageEntries = 3);

    public async Task DisposeAsync() => await Server.DisposeAsync();
}
