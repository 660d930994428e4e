using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using Im.Storage.Relational;
using Im.Storage.Relational.Stores;
using Microsoft.Extensions.Options;

namespace Im.Storage.Sqlite.Internal;

/// <summary>The open database of one server: its lanes, and what happens to it at start. One for all stores; the services dispose it.</summary>
internal sealed class SqliteStorage : IDisposable
{
    private readonly ImSqliteOptions _options;
    private readonly SqlMetrics _metrics;
    private readonly SqlLanes _writer;
    private readonly SqlLanes _readers;

    public SqliteStorage(IOptions<ImSqliteOptions> options, TimeProvider time, IMeterFactory? meters = null, SqlCommitHook? commitHook = null)
    {
        _options = options.Value;
        _metrics = new SqlMetrics(meters);
        Database = new SqliteDatabase(_options);
        var settings = new SqlLaneSettings { MaxQueuedJobs = _options.MaxQueuedCalls, Time = time, Metrics = _metrics, CommitHook = commitHook };
        _writer = new SqlLanes(Database, "writer", 1, forWrites: true, settings);
        _readers = new SqlLanes(Database, "reader", _options.Readers, forWrites: false, settings);
        Lanes = new RelationalLanes(_writer, _writer, _readers);
    }

    public SqliteDatabase Database { get; }

    public RelationalLanes Lanes { get; }

    /// <summary>Creates or upgrades the tables, and makes the generation.</summary>
    public async ValueTask InitializeAsync(CancellationToken cancellationToken)
    {
        await _writer.WriteAsync(
            session =>
            {
                Upgrade((SqliteSession)session);
                Generations.Ensure(session, _options.NewGeneration);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        // Readers first: the writer's connection, closed last, folds the log into the file.
        _readers.Dispose();
        _writer.Dispose();
        Database.Dispose();
        _metrics.Dispose();
    }

    private void Upgrade(SqliteSession session)
    {
        var files = SchemaFiles.Read(Assembly.GetExecutingAssembly());
        var current = FindVersion(session);
        if (current > files.Count && !SchemaFiles.IsUsable(session, files.Count))
        {
            throw new ImStorageException(
                $"{Database.Path} has schema {current}; this version of Im.Storage.Sqlite knows up to {files.Count}. Install the version that wrote it, or a "
                + "newer one: <PackageReference Include=\"Im.Storage.Sqlite\" Version=\"…\" />.",
                failure: ImStorageFailure.Refused);
        }

        if (current < files.Count && !_options.CreateSchema)
        {
            throw new ImStorageException(
                $"{Database.Path} has schema {current}, {files.Count} is needed, and ImSqliteOptions.CreateSchema is false. Apply what "
                + $"ImSqliteSchema.Script({current}) prints, or set CreateSchema = true.",
                failure: ImStorageFailure.Refused);
        }

        for (var version = current + 1; version <= files.Count; version++)
        {
            session.ExecuteScript(files[version - 1]);
            session.ExecuteScript(SchemaFiles.Record(version, files[version - 1]));
        }
    }

    private static int FindVersion(SqlSession session)
    {
        var exists = session.Prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'im_meta'").Read();
        session.Prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'im_meta'").Clear();
        return exists && MetaRows.Find(session, MetaRows.Schema) is { } version
            ? int.Parse(version, NumberStyles.None, CultureInfo.InvariantCulture)
            : 0;
    }
}
