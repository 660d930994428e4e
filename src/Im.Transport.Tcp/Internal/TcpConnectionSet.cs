namespace Im.Transport.Tcp.Internal;

/// <summary>The connections that live, for the end. The lock protects the set and its waiter, for one operation.</summary>
internal sealed class TcpConnectionSet
{
    private readonly Lock _lock = new();
    private readonly HashSet<TcpConnection> _connections = [];
    private TaskCompletionSource? _empty;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _connections.Count;
            }
        }
    }

    public void Add(TcpConnection connection)
    {
        lock (_lock)
        {
            _connections.Add(connection);
        }
    }

    public void Remove(TcpConnection connection)
    {
        lock (_lock)
        {
            if (_connections.Remove(connection) && _connections.Count == 0)
            {
                _empty?.TrySetResult();
            }
        }
    }

    public TcpConnection[] Snapshot()
    {
        lock (_lock)
        {
            return [.. _connections];
        }
    }

    /// <summary>Completes when the last connection is gone; none may be added any more.</summary>
    public Task WhenEmptyAsync()
    {
        lock (_lock)
        {
            if (_connections.Count == 0)
            {
                return Task.CompletedTask;
            }

            _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _empty.Task;
        }
    }
}
