namespace Im.Storage.Sqlite;

/// <summary>Copies the database while the server runs.</summary>
public interface ISqliteBackup
{
    /// <summary>Writes the whole database as it is at one moment into a new file.</summary>
    /// <param name="path">A file that does not exist; its folder is created.</param>
    /// <param name="cancellationToken">Looked at before the copy begins.</param>
    /// <remarks>
    /// Appends go on meanwhile; a copy that was begun is finished or leaves no file. Who restores it (server stopped, file put in the place of the old one,
    /// the old <c>-wal</c> and <c>-shm</c> files deleted) sets <see cref="ImSqliteOptions.NewGeneration"/>.
    /// </remarks>
    /// <exception cref="IOException">The file exists, or cannot be written.</exception>
    /// <exception cref="Im.Storage.ImStorageException">The database cannot be read.</exception>
    ValueTask BackupAsync(string path, CancellationToken cancellationToken = default);
}
