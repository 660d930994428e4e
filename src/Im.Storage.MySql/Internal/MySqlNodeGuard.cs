using System.Globalization;
using Im.Storage.Relational;
using Microsoft.Extensions.Options;

namespace Im.Storage.MySql.Internal;

/// <summary>Keeps a node's name to one live process by a named lock, and ends connections of dead ones.</summary>
internal sealed class MySqlNodeGuard(MySqlStorage storage, IOptions<ImMySqlOptions> options, TimeProvider time) : INodeGuard, IDisposable
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan KillPause = TimeSpan.FromMilliseconds(20);
    private const int KillChecks = 100;

    private readonly ImMySqlOptions _options = options.Value;
    private readonly CancellationTokenSource _stopping = new();

    // Set by AcquireAsync, which is called once.
    private SqlLanes? _lane;
    private NodeNameLock? _lock;
    private string? _instanceId;
    private Task _keeping = Task.CompletedTask;
    private int _isReleased;
    private int _isDisposed;

    public async ValueTask AcquireAsync(string nodeName, string instanceId, Action lost, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(nodeName);
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        ArgumentNullException.ThrowIfNull(lost);
        if (_lane is not null)
        {
            throw new InvalidOperationException("The name of a node is acquired once.");
        }

        _instanceId = instanceId;
        storage.Dialect.Marks.Use(instanceId);
        _lock = new NodeNameLock(nodeName, instanceId, _options.NodeNameTimeout);
        _lane = new SqlLanes(storage.Dialect, "guard", 1, forWrites: false, new SqlLaneSettings { Time = time });
        var started = time.GetTimestamp();
        while (await HoldAsync(cancellationToken).ConfigureAwait(false) != NodeNameState.Held)
        {
            if (time.GetElapsedTime(started) >= _options.NodeNameWait)
            {
                throw new ImStorageException(
                    $"Another live process runs as node \"{nodeName}\" on this database. Give each process a name of its own: "
                    + "builder.Services.AddImServer(o => o.NodeName = \"…\"); (ImServerOptions.NodeName)",
                    failure: ImStorageFailure.Refused);
            }

            await Task.Delay(RetryInterval, time, cancellationToken).ConfigureAwait(false);
        }

        _keeping = KeepAsync(lost);
    }

    public async ValueTask ReleaseAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isReleased, 1) != 0 || _lane is null)
        {
            return;
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        await _keeping.WaitAsync(cancellationToken).ConfigureAwait(false);
        await _lane.RunAsync(NodeNameLock.Release, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<int> EndNodeConnectionsAsync(string nodeName, string instanceId, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId);
        if (instanceId == _instanceId)
        {
            return 0;
        }

        var locks = string.Join(", ", ConnectionMarks.All(instanceId).Select(name => $"IS_USED_LOCK('{name}')"));
        var ended = await storage.Lanes.Write.WriteAsync(session => End((MySqlSession)session, locks), cancellationToken).ConfigureAwait(false);

        // The server rolls back when it notices, which is at once; whoever waits for the rows goes on then.
        for (var check = 0; check < KillChecks && await AnyAsync(locks, cancellationToken).ConfigureAwait(false); check++)
        {
            await Task.Delay(KillPause, time, cancellationToken).ConfigureAwait(false);
        }

        return ended;
    }

    public void Dispose()
    {
        // The services know it under two types, and dispose of it under each.
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _stopping.Cancel();
            _lane?.Dispose();
            _stopping.Dispose();
        }
    }

    private Task<NodeNameState> HoldAsync(CancellationToken cancellationToken) => _lane!.RunAsync(_lock!.Hold, cancellationToken);

    private async Task KeepAsync(Action lost)
    {
        var interval = _options.NodeNameTimeout / 4;
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(interval, time, _stopping.Token).ConfigureAwait(false);
                if (await HoldAsync(_stopping.Token).ConfigureAwait(false) == NodeNameState.OfAnother)
                {
                    lost();
                    return;
                }
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (ImStorageException)
            {
                // The database is away; nobody else can take the name there either. What else fails then is reported elsewhere.
            }
        }
    }

    private static int End(MySqlSession session, string locks)
    {
        var ids = session.Query($"SELECT CONCAT_WS(',', {locks})") is string text
            ? text.Split(',', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToArray()
            : [];
        foreach (var id in ids)
        {
            session.Kill(long.Parse(id, NumberStyles.None, CultureInfo.InvariantCulture));
        }

        return ids.Length;
    }

    private Task<bool> AnyAsync(string locks, CancellationToken cancellationToken) =>
        storage.Lanes.Write.WriteAsync(session => ((MySqlSession)session).Query($"SELECT COALESCE({locks})") is not null, cancellationToken);
}
