namespace Im.Storage.Sqlite;

/// <summary>Where the SQLite store keeps its file, and its limits. Validated at start, all errors at once.</summary>
public sealed class ImSqliteOptions
{
    /// <summary>The file, or a connection string of Microsoft.Data.Sqlite; its folder is created. Given to <c>UseSqlite</c>.</summary>
    /// <value>Default: im.db, in the current folder.</value>
    public string Database { get; set; } = "im.db";

    /// <summary>When a commit counts as durable.</summary>
    /// <value>Default: Full, every commit is flushed before its send acks go out.</value>
    public ImSqliteSynchronous Synchronous { get; set; } = ImSqliteSynchronous.Full;

    /// <summary>How many threads read beside the one that writes, each with a connection.</summary>
    /// <value>Default: 2.</value>
    public int Readers { get; set; } = 2;

    /// <summary>How many calls may wait for the writer, and how many for the readers; further callers wait for room.</summary>
    /// <value>Default: 4,096.</value>
    public int MaxQueuedCalls { get; set; } = 4096;

    /// <summary>How long a statement waits for another process that holds the database, a backup tool for example.</summary>
    /// <value>Default: 5 seconds.</value>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How much of the database the writer and each reader keep in memory.</summary>
    /// <value>Default: 16 MiB each.</value>
    public int CacheBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>How large the write-ahead log grows before it is folded into the file: more is less writing, and a longer pause now and then.</summary>
    /// <value>Default: 32 MiB.</value>
    public int CheckpointBytes { get; set; } = 32 * 1024 * 1024;

    /// <summary>How large the file may grow, in pages of 4 KiB; full is full, with an error that says so.</summary>
    /// <value>Default: none, the disk is the limit.</value>
    public int? MaxPageCount { get; set; }

    /// <summary>
    /// Whether missing tables are created and old ones upgraded at start. Without it a schema that does not fit stops the host; apply
    /// <see cref="ImSqliteSchema.Script"/> by hand.
    /// </summary>
    /// <value>Default: true.</value>
    public bool CreateSchema { get; set; } = true;

    /// <summary>
    /// After a backup was restored: any text that was not used before, for example the restore's date. When it differs from the one that
    /// the database keeps, the store gets a new generation, so that devices start again from a snapshot; the same text again changes nothing.
    /// </summary>
    /// <value>Default: none.</value>
    public string? NewGeneration { get; set; }
}
