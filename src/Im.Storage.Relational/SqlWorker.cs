namespace Im.Storage.Relational;

/// <summary>A lane thread's hold on its connection: opens it at the first job, throws it away when it fails, runs transactions again. One thread only.</summary>
internal sealed class SqlWorker(SqlDialect dialect, bool forWrites, SqlLaneSettings settings, CancellationToken stopping) : IDisposable
{
    private SqlSession? _session;

    public SqlDialect Dialect => dialect;

    public SqlLaneSettings Settings => settings;

    public CancellationToken Stopping => stopping;

    /// <summary>The open session; opens it where there is none.</summary>
    public SqlSession Session => _session ??= dialect.Open(forWrites);

    /// <summary>Runs work in a transaction, again where that may help.</summary>
    public T Transact<T>(bool isWrite, Func<SqlSession, T> work)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return TransactOnce(isWrite, work);
            }
            catch (Exception exception) when (IsOfTheDriver(exception))
            {
                ThrowUnlessRetried(exception, attempt);
            }
        }
    }

    /// <summary>Goes on to another attempt, or throws what the caller is to see.</summary>
    public void ThrowUnlessRetried(Exception exception, int attempt)
    {
        var fault = dialect.Classify(exception);
        if (!fault.MayRetry || attempt >= settings.MaxAttempts || stopping.IsCancellationRequested)
        {
            throw new ImStorageException(fault.Message, exception, fault.Failure);
        }

        settings.Metrics?.Retried(dialect.Name, exception.GetType().Name);
    }

    /// <summary>Whether an exception came from below: not a caller's mistake, and not yet translated.</summary>
    public static bool IsOfTheDriver(Exception exception) => exception is not (ArgumentException or ImStorageException);

    /// <summary>Rolls back after a failure; a connection that cannot do even that is thrown away.</summary>
    public void Abandon()
    {
        try
        {
            _session?.Abandon();
        }
        catch (Exception)
        {
            Discard();
        }
    }

    /// <summary>Closes the connection; the next use opens another one.</summary>
    public void Discard()
    {
        var session = _session;
        _session = null;
        try
        {
            session?.Dispose();
        }
        catch (Exception)
        {
            // It was broken already.
        }
    }

    public void Dispose() => Discard();

    private T TransactOnce<T>(bool isWrite, Func<SqlSession, T> work)
    {
        var session = Session;
        try
        {
            if (isWrite)
            {
                session.BeginWrite();
            }
            else
            {
                session.BeginRead();
            }

            var result = work(session);
            session.Commit();
            return result;
        }
        catch
        {
            Abandon();
            throw;
        }
    }
}
