namespace Im.Storage.Sqlite;

/// <summary>When a commit counts as durable.</summary>
public enum ImSqliteSynchronous
{
    /// <summary>
    /// Each commit is flushed to the disk before a send ack goes out: nothing that was acknowledged is lost, whatever stops the machine, as far as
    /// the disk keeps what it has flushed.
    /// </summary>
    Full = 0,

    /// <summary>
    /// Commits are flushed at checkpoints only. A crash of the process loses nothing; a power loss or a crash of the operating system may lose the last
    /// seconds of commits, though their send acks have gone out. The database stays intact, but clients are then ahead of it: set
    /// <see cref="ImSqliteOptions.NewGeneration"/> after such a loss. Faster only where flushing is slow.
    /// </summary>
    Normal = 1,
}
