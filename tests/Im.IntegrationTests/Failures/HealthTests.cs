using System.Net;
using Im.IntegrationTests.Support;
using Im.Model;
using Im.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Im.IntegrationTests.Failures;

/// <summary>What an orchestrator is told of a node.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task AStoreThatTakesNoWritesIsUnhealthyUntilAProbeSucceeds()
    {
        await using var server = await StartAsync();
        var storage = server.Services.GetRequiredService<TroubledStorage>();
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await AskAsync(server));

        storage.WritesFail = new ImStorageException("full", null, ImStorageFailure.Full);
        Assert.Equal(ImErrorCode.StorageUnavailable, (await SendAsync(server)).Code);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), await AskAsync(server));
        var report = await server.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        var data = report.Entries["im"].Data;
        Assert.Equal("full", data["storageFailure"]);
        Assert.Equal(0, data["pendingMessages"]);
        Assert.Equal(0, data["connections"]);

        storage.ComeBack();
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await AskAsync(server));
        Assert.Equal(ImSendOutcome.Stored, (await SendAsync(server)).Outcome);
    }

    [Fact]
    public async Task ACommitThatSucceedsMakesTheNodeHealthyAgain()
    {
        await using var server = await StartAsync();
        var storage = server.Services.GetRequiredService<TroubledStorage>();
        storage.BeforeAppend = _ => new ImStorageException("no");
        await SendAsync(server);
        storage.BeforeAppend = null;
        storage.ProbeFails = true;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), await AskAsync(server));
        await SendAsync(server);
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await AskAsync(server));
    }

    [Fact]
    public async Task AQueueThatIsNearlyFullIsDegraded()
    {
        await using var server = await StartAsync(options => (options.MaxPendingMessages, options.MaxBatchMessages) = (10, 1));
        using var hold = new CancellationTokenSource();
        server.Checkpoints.OnReached = async (checkpoint, _) =>
        {
            if (checkpoint == Diagnostics.Checkpoint.BeforeAppend)
            {
                await Task.Delay(Timeout.Infinite, hold.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        };
        var sends = Enumerable.Range(0, 10).Select(_ => SendAsync(server)).ToArray();
        await Wait.ForAsync(() => server.Services.GetRequiredService<Messaging.Committer>().Pending == 9, "a queue");
        Assert.Equal((HttpStatusCode.OK, "Degraded"), await AskAsync(server));
        await hold.CancelAsync();
        await Task.WhenAll(sends).InTimeAsync();
        Assert.Equal((HttpStatusCode.OK, "Healthy"), await AskAsync(server));
    }

    [Fact]
    public async Task ADrainingNodeIsUnhealthy()
    {
        await using var server = await StartAsync();
        server.Connections.StopAccepting();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy"), await AskAsync(server));
    }

    [Fact]
    public void TheCheckCanBeAddedTwice()
    {
        var services = new ServiceCollection();
        services.AddHealthChecks().AddImServer().AddImServer();
        services.AddHealthChecks().AddImServer("other");
        using var provider = services.BuildServiceProvider();
        var registered = provider.GetRequiredService<Microsoft.Extensions.Options.IOptions<HealthCheckServiceOptions>>().Value.Registrations;
        Assert.Equal(["im", "other"], registered.Select(registration => registration.Name));
    }

    private static Task<TestServer> StartAsync(Action<ImServerOptions>? configure = null) => TestServer.StartAsync(
        configure,
        im =>
        {
            TroubledStorage.Use(im);
            im.Services.AddHealthChecks().AddImServer();
        },
        map: app => app.MapHealthChecks("/health"));

    private static async Task<(HttpStatusCode Status, string Text)> AskAsync(TestServer server)
    {
        using var http = new HttpClient { Timeout = WireClient.Patience };
        using var response = await http.GetAsync(new UriBuilder(server.WebSocketUri) { Scheme = "http", Path = "/health" }.Uri);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static async Task<ImSendResult> SendAsync(TestServer server) => await server.Im.Messages.SendAsync(
        new OutgoingMessage { SenderId = "ann", ToUserId = "bob", Content = MessageContent.FromText("x") }).AsTask().InTimeAsync();
}
