using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.Extensions.Options;

namespace Im.Outbox.Internal;

/// <summary>A thread of its own that owns one connection to the host's database and runs the relay's statements one after the other.</summary>
/// <remarks>
/// Drivers whose asynchronous methods block (MySql.Data) would block a thread of the pool otherwise. The connection is opened when it is
/// needed and thrown away after any failure, since nothing is known of its state then.
/// </remarks>
internal sealed class OutboxDatabase : IDisposable
{
    // The relay runs one job at a time; the second place is for giving up the lease at the end.
    private const int MaxJobs = 2;

    private readonly DbDataSource _source;
    private readonly string _initSql;
    private readonly BlockingCollection<Action> _jobs = new(MaxJobs);
    private readonly Thread _thread;

    // Used by the thread only.
    private DbConnection? _connection;

    public OutboxDatabase(OutboxDataSource source, OutboxTable table, IOptions<ImOutboxOptions> options)
    {
        _source = source.Value;
        _initSql = options.Value.ConnectionInitSql ?? table.Dialect.ConnectionInitSql;
        _thread = new Thread(Run) { IsBackground = true, Name = "Im.Outbox" };
        _thread.Start();
    }

    /// <summary>Runs the job on the thread. What it throws is thrown here.</summary>
    public Task<T> RunAsync<T>(Func<DbConnection, T> job)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _jobs.Add(() =>
        {
            try
            {
                done.SetResult(job(Open()));
            }
            catch (Exception exception)
            {
                Close();
                done.SetException(exception);
            }
        });
        return done.Task;
    }

    public Task RunAsync(Action<DbConnection> job) => RunAsync(connection =>
    {
        job(connection);
        return true;
    });

    /// <summary>Ends the thread after the job in hand; does not wait for it.</summary>
    public void Dispose() => _jobs.CompleteAdding();

    private void Run()
    {
        foreach (var job in _jobs.GetConsumingEnumerable())
        {
            job();
        }

        Close();
    }

    private DbConnection Open()
    {
        if (_connection is { } open)
        {
            return open;
        }

        var connection = _source.OpenConnection();
        _connection = connection;
        if (_initSql.Length > 0)
        {
            using var command = connection.CreateCommand();
            command.CommandText = _initSql;
            command.ExecuteNonQuery();
        }

        return connection;
    }

    private void Close()
    {
        var connection = _connection;
        _connection = null;
        try
        {
            connection?.Dispose();
        }
        catch (Exception)
        {
            // A broken connection may not even close; what broke it is told already.
        }
    }
}
