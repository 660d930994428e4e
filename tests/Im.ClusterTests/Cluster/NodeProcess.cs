using System.Net.Http.Json;
using System.Net.Sockets;
using Im.LocalServers;

namespace Im.ClusterTests.Cluster;

/// <summary>One node as a process of its own. Its <see cref="LocalServer.Port"/> is HTTP; devices connect to <see cref="Address"/>.</summary>
internal sealed class NodeProcess : LocalServer
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    private readonly int _tcpPort = LoopbackPorts.Next();
    private readonly List<string> _arguments;

    private NodeProcess(string name, IEnumerable<string> arguments)
        : base(NewFolder("node", null))
    {
        Name = name;
        _arguments = ["--Im:NodeName", name, "--tcp", $"{_tcpPort}", .. arguments];
    }

    public string Name { get; }

    public Uri Address => new($"tcp://127.0.0.1:{_tcpPort}");

    /// <summary>Starts it and waits until it answers; devices are accepted then.</summary>
    public static async Task<NodeProcess> StartAsync(string name, IEnumerable<string> arguments)
    {
        var node = new NodeProcess(name, arguments);
        try
        {
            await node.StartAsync(CancellationToken.None);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    public async Task<NodeHealth> GetHealthAsync() => (await Http.GetFromJsonAsync<NodeHealth>($"http://{Host}:{Port}/health"))!;

    /// <summary>The sums of its counters.</summary>
    public async Task<Dictionary<string, long>> GetFiguresAsync() => (await Http.GetFromJsonAsync<Dictionary<string, long>>($"http://{Host}:{Port}/figures"))!;

    /// <summary>Sends as the host, in this order; the text is the message's id too. Returns the outcomes.</summary>
    public async Task<string[]> SendAsync(IEnumerable<(string SenderId, string ToUserId, string Text)> sends)
    {
        using var patient = new HttpClient { Timeout = TimeSpan.FromMinutes(1) };
        var body = sends.Select(send => new { send.SenderId, send.ToUserId, send.Text }).ToArray();
        using var response = await patient.PostAsJsonAsync($"http://{Host}:{Port}/sends", body);
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode} {Log}");
        return (await response.Content.ReadFromJsonAsync<string[]>())!;
    }

    /// <summary>Sends away those of these devices ("user/device") that are connected here: they go on at the next node of their list.</summary>
    public async Task SendAwayAsync(IEnumerable<string> guests)
    {
        using var response = await Http.PostAsJsonAsync($"http://{Host}:{Port}/away", guests.ToArray());
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode} {Log}");
    }

    public async Task CreateGroupAsync(string id, string? fanout, IEnumerable<string> members)
    {
        using var patient = new HttpClient { Timeout = TimeSpan.FromMinutes(5) };
        var query = fanout is null ? "" : $"?fanout={fanout}";
        using var response = await patient.PostAsJsonAsync($"http://{Host}:{Port}/groups/{id}{query}", members.ToArray());
        Assert.True(response.IsSuccessStatusCode, $"The group {id} was not created: {response.StatusCode} {Log}");
    }

    private protected override ServerProcess Run()
    {
        // The shell only opens the log and becomes the node: the id stays the same.
        string[] command = ["-c", """exec "$@" >> "$0" 2>&1""", LogFile, "dotnet", FindProgram(), "--http", $"{Port}", .. _arguments];
        return ServerProcess.Start("/bin/sh", command, Folder);
    }

    private protected override async Task<bool> AnswersAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync("GET /figures HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n"u8.ToArray(), cancellationToken);
        var answer = new byte[12];
        return await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancellationToken) == answer.Length
            && answer.AsSpan().SequenceEqual("HTTP/1.1 200"u8);
    }

    // Beside these tests' own output, in the folder of its own project.
    private static string FindProgram()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.GetFullPath(Path.Combine(
            AppContext.BaseDirectory, "..", "..", "..", "..", "Im.ClusterTests.Node", "bin", output.Parent!.Name, output.Name, "Im.ClusterTests.Node.dll"));
    }
}

/// <summary>What a node says of itself.</summary>
internal sealed record NodeHealth(string Status, string? Description, Dictionary<string, string> Data);
