using System.Diagnostics;
using System.Net.Http.Json;
using MySql.Data.MySqlClient;

namespace Im.Sample.Cluster.Tour;

/// <summary>Everything that the tour runs on, in a folder of its own that goes with it: Redis, MariaDB and the nodes.</summary>
internal sealed class Place : IAsyncDisposable
{
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };

    private readonly string _folder = Directory.CreateTempSubdirectory("im-cluster-").FullName;
    private readonly int _redisPort = Ports.Free();
    private readonly int _mariaDbPort = Ports.Free();
    private readonly Dictionary<int, (int Tcp, int Web)> _nodePorts = [];
    private readonly Dictionary<string, Child> _children = [];

    public async Task<Child> StartRedisAsync(CancellationToken cancellationToken)
    {
        var child = await StartAsync(
            "redis", Programs.Find("redis-server")!, "--port", $"{_redisPort}", "--bind", "127.0.0.1", "--dir", _folder, "--save", "", "--appendonly", "no");
        await Ports.WhenOpenAsync(_redisPort, () => child.Failure, cancellationToken);
        return child;
    }

    public async Task<Child> StartMariaDbAsync(CancellationToken cancellationToken)
    {
        var data = Path.Combine(_folder, "data");
        string[] root = Environment.UserName == "root" ? ["--user=root"] : [];
        using (var install = Process.Start(new ProcessStartInfo(
            Programs.Find("mariadb-install-db")!, ["--no-defaults", .. root, $"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"])
        { RedirectStandardOutput = true })!)
        {
            await install.StandardOutput.ReadToEndAsync(cancellationToken);
            await install.WaitForExitAsync(cancellationToken);
        }

        var child = await StartAsync(
            "mariadb", Programs.Find("mariadbd")!,
            ["--no-defaults", .. root, $"--datadir={data}", "--socket=server.sock", $"--pid-file={_folder}/server.pid", "--bind-address=127.0.0.1", $"--port={_mariaDbPort}",
                "--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin", "--skip-name-resolve"]);
        await Ports.WhenOpenAsync(_mariaDbPort, () => child.Failure, cancellationToken);
        await using var connection = new MySqlConnection(ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = "CREATE DATABASE im";
        await command.ExecuteNonQueryAsync(cancellationToken);
        return child;
    }

    /// <summary>Starts a node as a process of its own; a second time on the same ports.</summary>
    public async Task<Child> StartNodeAsync(int number, CancellationToken cancellationToken)
    {
        var (tcp, web) = _nodePorts.TryGetValue(number, out var ports) ? ports : _nodePorts[number] = (Ports.Free(), Ports.Free());
        var child = await StartAsync(
            Name(number), Environment.ProcessPath!,
            [.. OwnAssembly(), "--node", Name(number), "--tcp", $"{tcp}", "--urls", $"http://127.0.0.1:{web}",
                "--mysql", ConnectionString + ";Database=im", "--redis", $"127.0.0.1:{_redisPort}", "--Cluster:LeaseDuration", "00:00:03", "--Cluster:RenewInterval", "00:00:00.5"]);
        await Ports.WhenOpenAsync(tcp, () => child.Failure, cancellationToken);
        await Ports.WhenOpenAsync(web, () => child.Failure, cancellationToken);
        return child;
    }

    public Uri AddressOf(int number) => new($"tcp://127.0.0.1:{_nodePorts[number].Tcp}");

    public Uri PageOf(int number) => new($"http://127.0.0.1:{_nodePorts[number].Web}");

    /// <summary>SIGKILL by the process's id.</summary>
    public async Task KillAsync(string name)
    {
        if (_children.Remove(name, out var child))
        {
            await child.DisposeAsync();
        }
    }

    public async Task CreateGroupAsync(int node, string id, string[] members)
    {
        using var answer = await Http.PostAsJsonAsync(new Uri(PageOf(node), $"/groups/{id}"), members);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>What a load balancer is told: Healthy, Degraded, Unhealthy.</summary>
    public async Task<string> GetHealthAsync(int node)
    {
        using var answer = await Http.GetAsync(new Uri(PageOf(node), "/health"));
        return await answer.Content.ReadAsStringAsync();
    }

    public async Task WhenHealthIsAsync(string status, CancellationToken cancellationToken, params int[] nodes)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        foreach (var node in nodes)
        {
            while (await GetHealthAsync(node) != status)
            {
                await Task.Delay(100, limit.Token);
            }
        }
    }

    public static string Name(int number) => $"node{number}";

    public async ValueTask DisposeAsync()
    {
        foreach (var name in _children.Keys.Reverse().ToArray())
        {
            await KillAsync(name);
        }

        Directory.Delete(_folder, recursive: true);
    }

    private string ConnectionString => $"Server=127.0.0.1;Port={_mariaDbPort};User ID=root;SslMode=None";

    private async Task<Child> StartAsync(string name, string program, params string[] arguments) =>
        _children[name] = await Child.StartAsync(Path.Combine(_folder, name + ".log"), program, arguments);

    // "dotnet Im.Sample.Cluster.dll", or the program itself.
    private static string[] OwnAssembly() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet" ? [typeof(Place).Assembly.Location] : [];
}
