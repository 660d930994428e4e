using Im.Storage.Relational;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Im.Storage.Sqlite.Internal;

/// <summary>What SQLite's error codes mean for callers and operators.</summary>
internal static class SqliteErrors
{
    public static SqlFault Classify(Exception exception, string path) => exception switch
    {
        SqliteException sqlite => Classify(sqlite, path),
        UnauthorizedAccessException => new(
            ImStorageFailure.ReadOnly, false, $"{path} cannot be written: give the process the right to write the file and its folder. ({exception.Message})"),
        IOException => new(ImStorageFailure.Unavailable, true, $"{path} cannot be used now ({exception.Message}): look at its disk and its folder."),
        ObjectDisposedException => new(ImStorageFailure.Unavailable, false, "The storage is closed: the server is shutting down."),
        OperationCanceledException => new(ImStorageFailure.Unavailable, false, "The storage is being closed: the server is shutting down."),
        _ => new(ImStorageFailure.Refused, false, $"The store failed on {path}: {exception.Message}"),
    };

    private static SqlFault Classify(SqliteException exception, string path) => (exception.SqliteErrorCode & 0xFF) switch
    {
        raw.SQLITE_FULL => new(
            ImStorageFailure.Full, false,
            $"There is no room for {path}: free space on its disk, or raise ImSqliteOptions.MaxPageCount. Nothing was stored; it goes on by itself."),
        raw.SQLITE_READONLY or raw.SQLITE_PERM => new(
            ImStorageFailure.ReadOnly, false,
            $"{path} takes no writes: make the file, its -wal and -shm files and its folder writable for the process. Nothing was stored; "
            + "it goes on by itself."),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new(
            ImStorageFailure.Unavailable, false,
            $"Another program holds {path} for longer than ImSqliteOptions.BusyTimeout: end it, or let it work on a copy made with ISqliteBackup."),
        raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN => new(
            ImStorageFailure.Unavailable, true, $"{path} cannot be read or written ({exception.Message}): look at its disk and its folder."),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => new(
            ImStorageFailure.Refused, false, $"{path} is no intact SQLite database ({exception.Message}): restore a backup, with a new NewGeneration."),
        _ => new(ImStorageFailure.Refused, false, $"SQLite refused: {exception.Message}"),
    };
}
