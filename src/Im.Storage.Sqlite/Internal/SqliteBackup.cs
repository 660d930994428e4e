using Im.Storage.Relational;
using Microsoft.Data.Sqlite;

namespace Im.Storage.Sqlite.Internal;

/// <summary>Copies through SQLite's backup interface, on a thread and connections of its own.</summary>
internal sealed class SqliteBackup(SqliteStorage storage) : ISqliteBackup
{
    public ValueTask BackupAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        // A copy takes as long as the disk does: no thread of the pool is lent to it.
        return new(Task.Factory.StartNew(
            () => Copy(Path.GetFullPath(path)), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default));
    }

    private void Copy(string path)
    {
        storage.Database.CheckHeld();
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (File.Exists(path))
        {
            throw Exists(path);
        }

        // Under another name until it is whole.
        var partial = path + ".partial";
        File.Delete(partial);
        try
        {
            CopyTo(partial);
            if (File.Exists(path))
            {
                throw Exists(path);
            }

            File.Move(partial, path, overwrite: false);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private void CopyTo(string path)
    {
        try
        {
            using var source = storage.Database.Connect();
            using var target = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
            target.Open();

            // All pages in one step: the copy is of one moment, whatever is committed meanwhile.
            source.BackupDatabase(target);

            // One file, that can be copied as it is.
            SqliteNative.Execute(target.Handle!, "PRAGMA journal_mode = DELETE");
        }
        catch (Exception exception) when (SqlWorker.IsOfTheDriver(exception))
        {
            var fault = SqliteErrors.Classify(exception, path);
            throw new ImStorageException($"The backup failed. {fault.Message}", exception, fault.Failure);
        }
    }

    private static IOException Exists(string path) => new($"{path} exists; a backup never replaces a file. Give it a new name, with the date for example.");
}
