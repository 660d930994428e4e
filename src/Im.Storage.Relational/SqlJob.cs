namespace Im.Storage.Relational;

/// <summary>Work that waits for a lane. Cancelled while it waits it never runs; one that runs goes to its end.</summary>
internal abstract class SqlJob
{
    public abstract void Run(SqlWorker worker);

    /// <summary>Ends a job that will not run.</summary>
    public abstract void Refuse(Exception why);
}

/// <summary>A job with a result.</summary>
internal sealed class SqlJob<T> : SqlJob
{
    private const int Waiting = 0;
    private const int Taken = 1;

    private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _cancellationToken;
    private readonly CancellationTokenRegistration _registration;
    private Func<SqlWorker, T>? _work;
    private int _state;

    public SqlJob(Func<SqlWorker, T> work, CancellationToken cancellationToken)
    {
        _work = work;
        _cancellationToken = cancellationToken;
        if (cancellationToken.CanBeCanceled)
        {
            _registration = cancellationToken.UnsafeRegister(static job => ((SqlJob<T>)job!).Cancel(), this);
        }
    }

    public Task<T> Task => _result.Task;

    public override void Run(SqlWorker worker)
    {
        if (!TryTake())
        {
            return;
        }

        try
        {
            _result.SetResult(_work!(worker));
        }
        catch (Exception exception)
        {
            _result.SetException(exception);
        }
    }

    public override void Refuse(Exception why)
    {
        if (TryTake())
        {
            _result.SetException(why);
        }
    }

    private void Cancel()
    {
        if (Interlocked.CompareExchange(ref _state, Taken, Waiting) == Waiting)
        {
            _work = null;
            _result.SetCanceled(_cancellationToken);
        }
    }

    private bool TryTake()
    {
        if (Interlocked.CompareExchange(ref _state, Taken, Waiting) != Waiting)
        {
            return false;
        }

        _registration.Dispose();
        return true;
    }
}
