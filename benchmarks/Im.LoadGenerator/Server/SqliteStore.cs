namespace Im.LoadGenerator.Server;

/// <summary>A file of SQLite, in the server's process.</summary>
internal sealed class SqliteStore : IStore
{
    private readonly string? _temporary;
    private readonly string _path;

    public SqliteStore(Options options)
    {
        var folder = options.Data ?? Directory.CreateTempSubdirectory("im-load-").FullName;
        _temporary = options.Data is null ? folder : null;
        Directory.CreateDirectory(folder);
        _path = Path.Combine(folder, "im.db");
        if (File.Exists(_path))
        {
            throw new UsageException($"{_path} exists; a run begins with an empty store. Remove it, or name another folder with --data.");
        }
    }

    public IReadOnlyList<string> ServerArguments => ["--store", "sqlite", "--connection", _path];

    public int? Pid => null;

    public void Kill() => throw new NotSupportedException();

    public void Restart() => throw new NotSupportedException();

    public void Dispose()
    {
        if (_temporary is not null)
        {
            Directory.Delete(_temporary, recursive: true);
        }
    }
}
