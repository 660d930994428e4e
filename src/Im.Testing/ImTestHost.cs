using Im.Client;
using Im.Cluster;
using Im.Testing.Internal;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Testing;

/// <summary>A whole IM server in a test, with any test framework.</summary>
/// <remarks>
/// <para>Clients connect through memory, by <see cref="ConnectAsync"/>: no port is used, and a network can be cut. The server's clock is
/// <see cref="Time"/>; the devices' own timers (pings, reconnects) and all limits of waiting run by the real clock, so that a clock that stands
/// still stops nobody and one that jumps cuts nobody.</para>
/// <para>Unless the callback of <see cref="StartAsync"/> says otherwise everything is kept in memory, every user exists and a token is its user's
/// id. Two options differ from the server's defaults: the idle timeout is <see cref="DefaultIdleTimeout"/>, so that moving the clock by an
/// hour cuts nobody by the way, and there is no random wait before the reconnects after a restart.</para>
/// </remarks>
public sealed class ImTestHost : IAsyncDisposable
{
    private readonly Action<IImServerBuilder>? _configure;
    private readonly MemoryStorage _storage;
    private readonly InMemoryCluster _cluster;
    private readonly List<ImTestNode> _nodes = [];
    private readonly Dictionary<(string User, string Device), ICursorStore> _cursors = [];
    private readonly List<ImTestDevice> _devices = [];

    /// <summary>Protects the collections above.</summary>
    private readonly Lock _gate = new();

    private ImTestHost(Action<IImServerBuilder>? configure)
    {
        _configure = configure;
        _storage = new MemoryStorage(Time);
        _cluster = new InMemoryCluster(Time);
    }

    /// <summary>The idle timeout of a test host, a day: set another one to see idle connections closed.</summary>
    public static TimeSpan DefaultIdleTimeout { get; } = TimeSpan.FromHours(24);

    /// <summary>The server's clock. It stands still until it is moved; stopping and restarting a server may move it by a few milliseconds.</summary>
    public ImTestTime Time { get; } = new();

    /// <summary>The users, unless the host was given another provider.</summary>
    public ImTestUsers Users { get; } = new();

    /// <summary>How long the waits of this host and its devices last at most, by the real clock.</summary>
    /// <value>10 seconds.</value>
    public TimeSpan WaitLimit { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The first node's server as the host's own code sees it. After a restart it is another one.</summary>
    public IImServer Server => Node.Server;

    /// <summary>The first node's services. After a restart they are others.</summary>
    public IServiceProvider Services => Node.Services;

    /// <summary>The nodes: one, and those that were added.</summary>
    public IReadOnlyList<ImTestNode> Nodes
    {
        get
        {
            lock (_gate)
            {
                return [.. _nodes];
            }
        }
    }

    /// <summary>The devices that were connected and are not disposed.</summary>
    public IReadOnlyList<ImTestDevice> Devices
    {
        get
        {
            lock (_gate)
            {
                return [.. _devices];
            }
        }
    }

    private ImTestNode Node => Nodes is [var first, ..] ? first : throw new ObjectDisposedException(nameof(ImTestHost), "The test host is stopped.");

    /// <summary>Starts a server.</summary>
    /// <param name="configure">
    /// Adds to it what your application adds: a user provider, interceptors, options, a storage (<c>im =&gt; im.UseSqlite(path)</c>). Called again at
    /// each restart.
    /// </param>
    public static async Task<ImTestHost> StartAsync(Action<IImServerBuilder>? configure = null)
    {
        var host = new ImTestHost(configure);
        try
        {
            await host.AddNodeAsync().ConfigureAwait(false);
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Connects a device; completes when it is signed in.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="deviceId">The device; several of a user are connected under different ids. The same one again goes on where it stopped.</param>
    /// <param name="token">The token, for a provider of your own; null = the user's id.</param>
    /// <param name="node">To which node; null = the first.</param>
    /// <remarks>Throws <see cref="ImClientException"/> when the server refuses for good.</remarks>
    public async Task<ImTestDevice> ConnectAsync(string userId, string deviceId = "phone", string? token = null, ImTestNode? node = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        ArgumentException.ThrowIfNullOrEmpty(deviceId);
        ImTestDevice device;
        lock (_gate)
        {
            if (!_cursors.TryGetValue((userId, deviceId), out var cursors))
            {
                _cursors.Add((userId, deviceId), cursors = new MemoryCursorStore());
            }

            device = new ImTestDevice(this, userId, token ?? userId, deviceId, cursors);
            _devices.Add(device);
        }

        (device.Node = node ?? Node).Attach(device);
        try
        {
            await device.Client.ConnectAsync().WaitAsync(WaitLimit).ConfigureAwait(false);
            return device;
        }
        catch
        {
            await device.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Cuts a device's network, as a tunnel does: what is on the way is lost, in both directions. Completes when the device and the server have
    /// noticed. The device stays without a network until <see cref="ReconnectAsync"/>.
    /// </summary>
    public async Task CutAsync(ImTestDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        await device.Network.CutAsync().WaitAsync(WaitLimit).ConfigureAwait(false);
        if (device.Client.State != ImClientState.Closed)
        {
            await device.WaitForStateAsync(ImClientState.Reconnecting).ConfigureAwait(false);
        }
    }

    /// <summary>Gives a device its network back and waits until it is signed in again.</summary>
    public async Task ReconnectAsync(ImTestDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        device.Network.Restore();
        await device.WaitForStateAsync(ImClientState.Connected).ConfigureAwait(false);
    }

    /// <summary>
    /// Holds back what the server sends to a device; what the device sends arrives. Followed by <see cref="CutAsync"/> that is the network which
    /// fails between a commit and its ack.
    /// </summary>
    public void HoldAnswers(ImTestDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        device.Network.Hold();
    }

    /// <summary>Lets through what <see cref="HoldAnswers"/> held back.</summary>
    public void ReleaseAnswers(ImTestDevice device)
    {
        ArgumentNullException.ThrowIfNull(device);
        device.Network.Release();
    }

    /// <summary>
    /// Stops the nodes one after the other as a deployment does, and starts each again on the same storage; completes when the devices that were
    /// connected are signed in again.
    /// </summary>
    public async Task RestartAsync()
    {
        foreach (var node in Nodes)
        {
            await RestartAsync(node).ConfigureAwait(false);
        }
    }

    /// <summary>Stops and starts one node, as <see cref="RestartAsync()"/> does; its devices wait for it.</summary>
    public async Task RestartAsync(ImTestNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var own = Devices.Where(device => device.Node == node).ToList();
        var connected = own.Where(device => device.IsConnected).ToList();
        var cut = connected.ToDictionary(device => device, device => device.Network.StopConnecting());
        await node.StopAsync().ConfigureAwait(false);
        foreach (var device in connected)
        {
            await device.WaitForStateAsync(ImClientState.Reconnecting).ConfigureAwait(false);
        }

        await node.StartAsync().ConfigureAwait(false);
        foreach (var device in own)
        {
            node.Attach(device);
        }

        foreach (var device in connected)
        {
            if (cut[device])
            {
                await ReconnectAsync(device).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Adds a node to the cluster: another server on the same in-memory storage. The callback of <see cref="StartAsync"/> is called for it too. Completes
    /// when it accepts connections and the other nodes know of it.
    /// </summary>
    /// <remarks>A storage that only one process can open (SQLite) cannot be shared; the second node then fails to start.</remarks>
    public async Task<ImTestNode> AddNodeAsync()
    {
        ImTestNode node;
        lock (_gate)
        {
            node = new ImTestNode($"node-{_nodes.Count + 1}", name => TestNode.StartAsync(name, _storage, _cluster, Time, Users, _configure));
        }

        await node.StartAsync().ConfigureAwait(false);
        lock (_gate)
        {
            _nodes.Add(node);
        }

        foreach (var other in Nodes)
        {
            await other.WaitForAsync(Nodes.Count, WaitLimit).ConfigureAwait(false);
        }

        return node;
    }

    /// <summary>
    /// Lets a device reconnect to another node: its connection is cut, and the next one goes there. Completes when it is signed in there.
    /// </summary>
    public async Task MoveAsync(ImTestDevice device, ImTestNode node)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(node);
        await CutAsync(device).ConfigureAwait(false);
        (device.Node = node).Attach(device);
        await ReconnectAsync(device).ConfigureAwait(false);
    }

    /// <summary>Disconnects the devices and stops the nodes. Can be safely called multiple times.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var device in Devices)
        {
            await device.DisposeAsync().ConfigureAwait(false);
        }

        foreach (var node in Nodes)
        {
            await node.StopAsync().ConfigureAwait(false);
        }

        lock (_gate)
        {
            _nodes.Clear();
        }

        await _storage.DisposeAsync().ConfigureAwait(false);
    }

    internal void Forget(ImTestDevice device)
    {
        lock (_gate)
        {
            _devices.Remove(device);
        }
    }
}
