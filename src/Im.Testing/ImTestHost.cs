using Im.Client;
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
    private const string NodeName = "node-1";

    private readonly Action<IImServerBuilder>? _configure;
    private readonly MemoryStorage _storage;
    private readonly Dictionary<(string User, string Device), ICursorStore> _cursors = [];
    private readonly List<ImTestDevice> _devices = [];

    /// <summary>Protects the two collections above.</summary>
    private readonly Lock _gate = new();
    private TestNode? _node;

    private ImTestHost(Action<IImServerBuilder>? configure)
    {
        _configure = configure;
        _storage = new MemoryStorage(Time);
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

    /// <summary>The server as the host's own code sees it. After a restart it is another one.</summary>
    public IImServer Server => Services.GetRequiredService<IImServer>();

    /// <summary>The server's services. After a restart they are others.</summary>
    public IServiceProvider Services => Node.Services;

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

    private TestNode Node => _node ?? throw new ObjectDisposedException(nameof(ImTestHost), "The test host is stopped.");

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
            await host.StartNodeAsync().ConfigureAwait(false);
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
    /// <remarks>Throws <see cref="ImClientException"/> when the server refuses for good.</remarks>
    public async Task<ImTestDevice> ConnectAsync(string userId, string deviceId = "phone", string? token = null)
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

        device.Network.Attach(Node.Transport);
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
    /// Stops the server as a deployment does and starts another one on the same storage; completes when the devices that were connected are signed in
    /// again.
    /// </summary>
    public async Task RestartAsync()
    {
        var connected = Devices.Where(device => device.IsConnected).ToList();
        var cut = connected.ToDictionary(device => device, device => device.Network.StopConnecting());
        await StopNodeAsync().ConfigureAwait(false);
        foreach (var device in connected)
        {
            await device.WaitForStateAsync(ImClientState.Reconnecting).ConfigureAwait(false);
        }

        await StartNodeAsync().ConfigureAwait(false);
        foreach (var device in Devices)
        {
            device.Network.Attach(Node.Transport);
        }

        foreach (var device in connected)
        {
            if (cut[device])
            {
                await ReconnectAsync(device).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Adds a node to the cluster.</summary>
    /// <exception cref="NotSupportedException">Always, for now: nothing that could connect two nodes is configured.</exception>
    public Task AddNodeAsync() => throw new NotSupportedException(
        "A second node needs a cluster: a backplane and a session directory that both nodes share. This version of Im.Embedded has none, so a test "
        + "host has one node. Use several devices on it, and RestartAsync() for a node that goes and comes back.");

    /// <summary>Disconnects the devices and stops the server. Can be safely called multiple times.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var device in Devices)
        {
            await device.DisposeAsync().ConfigureAwait(false);
        }

        await StopNodeAsync().ConfigureAwait(false);
        await _storage.DisposeAsync().ConfigureAwait(false);
    }

    internal void Forget(ImTestDevice device)
    {
        lock (_gate)
        {
            _devices.Remove(device);
        }
    }

    private async Task StartNodeAsync() =>
        _node = await TestNode.StartAsync(NodeName, _storage, Time, Users, _configure).ConfigureAwait(false);

    private async Task StopNodeAsync()
    {
        if (_node is { } node)
        {
            _node = null;
            await node.DisposeAsync().ConfigureAwait(false);
        }
    }
}
