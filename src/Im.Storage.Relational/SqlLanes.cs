namespace Im.Storage.Relational;

/// <summary>One or several dedicated threads, each with a connection of its own, that take jobs from one bounded queue in order.</summary>
/// <remarks>
/// Drivers block the calling thread even in their asynchronous methods, so nothing of the thread pool is lent to them. Callers wait, asynchronously,
/// while the queue is full. Disposing ends the jobs that run and refuses those that wait.
/// </remarks>
internal sealed class SqlLanes : IDisposable
{
    // Protects _jobs and _isClosed; its monitor wakes the threads.
    private readonly object _gate = new();
    private readonly Queue<SqlJob> _jobs = new();
    private readonly SemaphoreSlim _room;
    private readonly Thread[] _threads;
    private readonly SqlDialect _dialect;
    private readonly SqlLaneSettings _settings;
    private readonly CancellationTokenSource _stopping = new();
    private bool _isClosed;

    public SqlLanes(SqlDialect dialect, string name, int threads, bool forWrites, SqlLaneSettings settings)
    {
        _dialect = dialect;
        _settings = settings;
        _room = new SemaphoreSlim(settings.MaxQueuedJobs);
        _threads = new Thread[threads];
        for (var i = 0; i < threads; i++)
        {
            _threads[i] = new Thread(() => Loop(forWrites)) { IsBackground = true, Name = $"im {dialect.Name} {name} {i + 1}" };
            _threads[i].Start();
        }
    }

    /// <summary>The adapter's.</summary>
    public SqlDialect Dialect => _dialect;

    /// <summary>Runs a read in one transaction, at one moment; again where that may help.</summary>
    public Task<T> ReadAsync<T>(Func<SqlSession, T> read, CancellationToken cancellationToken) =>
        RunAsync(worker => worker.Transact(isWrite: false, read), cancellationToken);

    /// <summary>Runs a write in one transaction; again where that may help, so that doing it twice must be no different from doing it once.</summary>
    public Task<T> WriteAsync<T>(Func<SqlSession, T> write, CancellationToken cancellationToken) =>
        RunAsync(worker => worker.Transact(isWrite: true, write), cancellationToken);

    /// <summary>Runs a job that does its own transactions.</summary>
    public async Task<T> RunAsync<T>(Func<SqlWorker, T> work, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        var job = new SqlJob<T>(work, cancellationToken);
        lock (_gate)
        {
            if (_isClosed)
            {
                // Whoever waits for room as well is to hear it too.
                _room.Release();
                throw Closed();
            }

            _jobs.Enqueue(job);
            Monitor.Pulse(_gate);
        }

        return await job.Task.ConfigureAwait(false);
    }

    public void Dispose()
    {
        SqlJob[] refused;
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            refused = [.. _jobs];
            _jobs.Clear();
            Monitor.PulseAll(_gate);
        }

        _stopping.Cancel();
        _room.Release(Math.Max(refused.Length, 1));
        foreach (var job in refused)
        {
            job.Refuse(Closed());
        }

        foreach (var thread in _threads)
        {
            thread.Join();
        }

        _stopping.Dispose();
    }

    private void Loop(bool forWrites)
    {
        using var worker = new SqlWorker(_dialect, forWrites, _settings, _stopping.Token);
        while (Take() is { } job)
        {
            job.Run(worker);
        }
    }

    private SqlJob? Take()
    {
        lock (_gate)
        {
            while (_jobs.Count == 0)
            {
                if (_isClosed)
                {
                    return null;
                }

                Monitor.Wait(_gate);
            }

            _room.Release();
            return _jobs.Dequeue();
        }
    }

    private static ImStorageException Closed() => new("The storage is closed: the server is shutting down.");
}
