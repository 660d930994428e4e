using System.Diagnostics.Metrics;
using Im.Storage.Relational;
using Im.Storage.Relational.Stores;
using Microsoft.Extensions.Options;

namespace Im.Storage.MySql.Internal;

/// <summary>The database of one server: its lanes, and what happens to it at start. One for all stores; the services dispose it.</summary>
internal sealed class MySqlStorage : IDisposable
{
    private readonly ImMySqlOptions _options;
    private readonly SqlMetrics _metrics;

    public MySqlStorage(MySqlDataSource dataSource, IOptions<ImMySqlOptions> options, TimeProvider time, IMeterFactory? meters = null, SqlCommitHook? commitHook = null)
    {
        _options = options.Value;
        _metrics = new SqlMetrics(meters);
        Dialect = new MySqlDialect(dataSource.Value, new MySqlSettings
        {
            ConnectionInitSql = _options.ConnectionInitSql,
            CommandTimeout = _options.CommandTimeout,
            LockWaitTimeout = _options.LockWaitTimeout,
            IdleTransactionTimeout = _options.IdleTransactionTimeout,
        });
        var settings = new SqlLaneSettings
        {
            MaxQueuedJobs = _options.MaxQueuedCalls,
            CommitOutcomeTimeout = _options.CommitDecisionTimeout,
            Time = time,
            Metrics = _metrics,
            CommitHook = commitHook,
        };

        // One appends: the commit log is in the order of its numbers.
        Lanes = new RelationalLanes(
            new SqlLanes(Dialect, "appender", 1, forWrites: true, settings),
            new SqlLanes(Dialect, "writer", _options.WriteLanes, forWrites: true, settings),
            new SqlLanes(Dialect, "reader", _options.ReadLanes, forWrites: false, settings));
    }

    public MySqlDialect Dialect { get; }

    public RelationalLanes Lanes { get; }

    /// <summary>Creates or upgrades the tables, and makes the generation.</summary>
    public async ValueTask InitializeAsync(CancellationToken cancellationToken)
    {
        await Lanes.Write.WriteAsync(
            session =>
            {
                MySqlSchemaUpgrade.CheckText((MySqlSession)session);
                MySqlSchemaUpgrade.Run((MySqlSession)session, _options.CreateSchema);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        await Lanes.Write.WriteAsync(
            session =>
            {
                // One node after the other, so that all that start together see one generation.
                ((MySqlSession)session).Query($"SELECT value FROM im_meta WHERE name = '{MetaRows.Schema}' FOR UPDATE");
                Generations.Ensure(session, _options.NewGeneration);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        Lanes.Append.Dispose();
        Lanes.Write.Dispose();
        Lanes.Read.Dispose();
        _metrics.Dispose();
    }
}
