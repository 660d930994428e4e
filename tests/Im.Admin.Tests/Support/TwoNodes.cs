using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Im.Cluster;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Admin.Tests.Support;

/// <summary>Two nodes of one cluster over one storage, and an operator at the first.</summary>
public sealed class TwoNodes : IAsyncLifetime
{
    private readonly ServiceProvider _storage;

    public TwoNodes()
    {
        var services = new ServiceCollection();
        services.AddImServer();
        _storage = services.BuildServiceProvider();
    }

    public InMemoryCluster Cluster { get; } = new();

    public Notifier Notifier { get; } = new();

    public Node North { get; private set; } = null!;

    public Node South { get; private set; } = null!;

    /// <summary>Calls the first node as one who may.</summary>
    public HttpClient Operator { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        North = await StartNodeAsync("north");
        South = await StartNodeAsync("south");
        Operator = CreateOperator(North);
        await Eventually.Async(async () => (await GetAsync("nodes"))["nodes"]!.AsArray().Count == 2 ? "" : "Only one node is known.");
    }

    public Task<Node> StartNodeAsync(string name) => Node.StartAsync(name, Cluster, _storage, services: services =>
    {
        services.AddSingleton(Notifier);
        services.AddSingleton<Im.Messaging.IOfflineNotifier>(Notifier);
    });

    public static HttpClient CreateOperator(Node node, string? name = Operators.Administrator)
    {
        var client = new HttpClient { BaseAddress = new Uri(node.Address, "im/admin/"), Timeout = Node.Limit };
        if (name is not null)
        {
            client.DefaultRequestHeaders.Add("operator", name);
        }

        return client;
    }

    public async Task DisposeAsync()
    {
        Operator.Dispose();
        await South.DisposeAsync();
        await North.DisposeAsync();
        await _storage.DisposeAsync();
    }

    public async Task<JsonObject> GetAsync(string path)
    {
        using var response = await Operator.GetAsync(path);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"GET {path}: {(int)response.StatusCode} {text}");
        return JsonNode.Parse(text)!.AsObject();
    }

    public async Task<(int Status, JsonObject Body)> CallAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (method != HttpMethod.Get)
        {
            request.Content = body is null ? JsonContent.Create(new { }) : JsonContent.Create(body);
        }

        using var response = await Operator.SendAsync(request);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject());
    }
}
