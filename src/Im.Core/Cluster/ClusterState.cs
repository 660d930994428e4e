using System.Reflection;
using Microsoft.Extensions.Options;

namespace Im.Cluster;

/// <summary>This node's place in the cluster: who it is, its epoch, who else lives, and how well the cluster can be reached.</summary>
/// <remarks>Thread-safe. Written by the lease loop and the probes; everybody reads.</remarks>
internal sealed class ClusterState(IOptions<ImServerOptions> server, IOptions<ImClusterOptions> options, TimeProvider time)
{
    // A probe may be one interval late before it counts as lost.
    private const int ProbesToMiss = 3;

    private readonly ImClusterOptions _options = options.Value;
    private volatile ClusterView _view = ClusterView.Alone;
    private volatile Exception? _directoryFailure;
    private volatile TaskCompletionSource? _rejoining;
    private long _probeHeardAt = time.GetTimestamp();
    private bool _isStarted;

    public NodeDescription Node { get; } = new(server.Value.NodeName, Guid.NewGuid().ToString("N"), PackageVersion);

    public static string PackageVersion { get; } =
        typeof(ClusterState).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";

    public ClusterView View
    {
        get => _view;
        set => _view = value;
    }

    /// <summary>Whether there is anybody to tell.</summary>
    public bool HasPeers => _view is { Nodes.Count: > 1 } || (_view.Nodes.Count == 1 && !_view.Nodes.ContainsKey(Node.Name));

    /// <summary>Whether other nodes are there, or may come without this one knowing at once: not where everything is in this process.</summary>
    public bool MayHavePeers { get => field || HasPeers; set; }

    /// <summary>Why the directory could not be reached the last time; null = it was.</summary>
    public Exception? DirectoryFailure
    {
        get => _directoryFailure;
        set => _directoryFailure = value;
    }

    /// <summary>Whether this node hears its own probes.</summary>
    public bool IsBackplaneHealthy => !_isStarted || time.GetElapsedTime(Volatile.Read(ref _probeHeardAt)) <= _options.ProbeInterval * ProbesToMiss;

    /// <summary>How long ago its last probe was heard.</summary>
    public TimeSpan SinceProbe => time.GetElapsedTime(Volatile.Read(ref _probeHeardAt));

    /// <summary>Ends when the sessions are registered again, while that is going on.</summary>
    public Task WhenRegistered => _rejoining?.Task ?? Task.CompletedTask;

    /// <summary>A node whose lease is lost answers no pings until its sessions are registered again.</summary>
    public bool IsRejoining => _rejoining is not null;

    public void BeginRejoin() => _rejoining ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void EndRejoin()
    {
        var rejoining = _rejoining;
        _rejoining = null;
        rejoining?.TrySetResult();
    }

    /// <summary>From now on probes are missed.</summary>
    public void ProbesBegin()
    {
        HeardProbe();
        _isStarted = true;
    }

    public void HeardProbe() => Volatile.Write(ref _probeHeardAt, time.GetTimestamp());
}
