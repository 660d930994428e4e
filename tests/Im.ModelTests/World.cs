using System.Collections.Concurrent;
using System.Net;
using Im.Groups;
using GroupInfo = Im.Model.GroupInfo;

namespace Im.ModelTests;

/// <summary>The server, the devices, the groups as the host knows them, and every message that was sent.</summary>
internal sealed class World(ModelPlan plan) : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _violations = new();
    private ModelServer? _server;
    private volatile IPEndPoint _tcp = new(IPAddress.Loopback, 1);
    private volatile IPEndPoint _webSocket = new(IPAddress.Loopback, 1);

    public ModelPlan Plan => plan;

    public Statistics Statistics { get; } = new();

    public List<string> Users { get; } = [.. Enumerable.Range(0, plan.Users).Select(i => $"u{i:00}")];

    public List<Device> Devices { get; } = [];

    public List<Group> Groups { get; } = [];

    public List<Outgoing> Sent { get; } = [];

    /// <summary>Devices whose client was closed for good by a late sign-in of an earlier start of its own; the schedule starts them again.</summary>
    public ConcurrentQueue<Device> EndedByOwnSignIn { get; } = new();

    public IImServer Im => _server!.Im;

    public IServiceProvider Services => _server!.Services;

    public IPEndPoint TcpEndpoint => _tcp;

    public IPEndPoint WebSocketEndpoint => _webSocket;

    /// <summary>Raised by each start of the server.</summary>
    public int Generation { get; private set; }

    /// <summary>Messages of the present store have this time or a later one.</summary>
    public long GenerationStartMs { get; private set; }

    public bool HasViolations => !_violations.IsEmpty;

    public void Violate(string what) => _violations.Enqueue(what);

    public string FirstViolations() => string.Join("\n\n", _violations.Take(3));

    public void OnAnswered(Outgoing outgoing) => Statistics.Add(outgoing.Ack is { } ack ? $"answer {ack.Result}" : $"answer {outgoing.Refusal!.Code}");

    /// <summary>Starts the server, with an empty store of a new generation.</summary>
    public async Task StartServerAsync()
    {
        GenerationStartMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        Generation++;
        _server = await ModelServer.StartAsync(plan.Configure, Violate);
        _tcp = _server.TcpEndpoint;
        _webSocket = _server.WebSocketEndpoint;
    }

    public async Task RestartServerAsync()
    {
        await _server!.DisposeAsync();
        await StartServerAsync();
        foreach (var group in Groups.Where(group => !group.IsDissolved))
        {
            await CreateAsync(group);
        }
    }

    public async Task CreateAsync(Group group)
    {
        await Im.Groups.CreateAsync(new NewGroup
        {
            GroupId = group.Id,
            Info = new GroupInfo(group.Id),
            MemberIds = [.. group.Members],
            ActorId = "$host",
            Fanout = group.PinnedFanout,
        }).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        group.Version++;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var device in Devices)
        {
            await device.DisposeAsync();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        Statistics.Dispose();
    }
}

/// <summary>A group as the host's database has it. Only the schedule changes it.</summary>
internal sealed class Group(string id)
{
    private volatile int _version;

    public string Id => id;

    public string ConversationId => Model.ConversationId.Group(id);

    public SortedSet<string> Members { get; } = new(StringComparer.Ordinal);

    public string? PinnedFanout { get; set; }

    public bool IsDissolved { get; set; }

    /// <summary>Raised before and after each change, so that who sees the same number twice knows that nothing has changed.</summary>
    public int Version
    {
        get => _version;
        set => _version = value;
    }
}
