using Im.Storage.Relational;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Im.Storage.Sqlite.Internal;

/// <summary>The file: how it is opened, and the lock file beside it that keeps a second process out.</summary>
/// <remarks>
/// The lock file is held open unshared from the writer's first connection to <see cref="Dispose"/>; it is empty and stays when the process ends, however
/// that ends, and the operating system gives it free. SQLite's own exclusive mode is of no use here: it locks our readers out.
/// </remarks>
internal sealed class SqliteDatabase : SqlDialect, IDisposable
{
    private readonly ImSqliteOptions _options;
    private readonly string _connectionString;

    // Taken by the writer's thread, which is the first to open a connection; given back when no lane lives any more.
    private volatile FileStream? _lock;

    static SqliteDatabase() => Batteries_V2.Init();

    public SqliteDatabase(ImSqliteOptions options)
    {
        _options = options;
        var parsed = Parse(options.Database);
        Path = parsed.DataSource;
        _connectionString = parsed.ToString();
    }

    /// <summary>The file, absolute.</summary>
    public string Path { get; }

    public string LockPath => Path + ".lock";

    public override string Name => "sqlite";

    public override bool LocksRows => false;

    /// <summary>A path or a connection string, as an absolute one.</summary>
    /// <exception cref="ArgumentException">It names no file.</exception>
    public static SqliteConnectionStringBuilder Parse(string database)
    {
        SqliteConnectionStringBuilder parsed;
        if (database.Contains("Data Source=", StringComparison.OrdinalIgnoreCase)
            || database.Contains("DataSource=", StringComparison.OrdinalIgnoreCase)
            || database.Contains("Filename=", StringComparison.OrdinalIgnoreCase))
        {
            parsed = new SqliteConnectionStringBuilder(database);
        }
        else
        {
            parsed = new SqliteConnectionStringBuilder { DataSource = database };
        }

        if (string.IsNullOrWhiteSpace(parsed.DataSource) || parsed.Mode == SqliteOpenMode.Memory
            || parsed.DataSource.StartsWith(":memory:", StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException(
                $"'{database}' names no file. Give one, as in UseSqlite(\"im.db\"); to keep everything in memory leave UseSqlite out.");
        }

        if (parsed.DataSource.StartsWith("file:", StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException(
                $"'{database}' is a URI. Give the file's path, as in UseSqlite(\"im.db\"), or a connection string, as in UseSqlite(\"Data Source=im.db\").");
        }

        // A pool would keep the file open behind our back.
        parsed.DataSource = System.IO.Path.GetFullPath(parsed.DataSource);
        parsed.Pooling = false;
        parsed.Cache = SqliteCacheMode.Private;
        return parsed;
    }

    public override SqlSession Open(bool forWrites)
    {
        if (forWrites)
        {
            Hold();
        }

        CheckHeld();
        return new SqliteSession(Connect(), _options, forWrites);
    }

    /// <summary>A connection of its own, for what needs ADO.NET.</summary>
    public SqliteConnection Connect()
    {
        var connection = new SqliteConnection(_connectionString);
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public override SqlFault Classify(Exception exception) => SqliteErrors.Classify(exception, Path);

    /// <summary>Throws where no server has started on the database.</summary>
    public void CheckHeld()
    {
        if (_lock is null)
        {
            throw new ImStorageException(
                $"{Path} was not initialised: start the host, or run every IStorageInitializer of the services, before the stores are used.");
        }
    }

    public void Dispose()
    {
        _lock?.Dispose();
        _lock = null;
    }

    private void Hold()
    {
        if (_lock is not null)
        {
            return;
        }

        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        try
        {
            _lock = new FileStream(LockPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (File.Exists(LockPath))
        {
            throw new ImStorageException(
                $"{Path} is in use: another process, or another server in this one, holds {LockPath}. A SQLite database belongs to one server; stop the "
                + "other one, give this one a file of its own with UseSqlite(\"other.db\"), or use UseMySql for several nodes.",
                exception);
        }
    }
}
