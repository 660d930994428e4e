namespace Im.LocalServers;

/// <summary>What one MariaDB server is started with.</summary>
public sealed class MariaDbServerOptions
{
    /// <summary>More arguments of mariadbd; they come last, so they win.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Size of InnoDB's buffer pool. Default: <value>128</value>.</summary>
    public int BufferPoolMegabytes { get; init; } = 128;

    /// <summary>Size of InnoDB's redo log. Default: <value>48</value>; benchmarks want more.</summary>
    public int LogFileMegabytes { get; init; } = 48;

    /// <summary>Folder in which the server's own folder is made, such as a mounted tmpfs. Default: the system's for temporary files.</summary>
    public string? ParentFolder { get; init; }

    /// <summary>
    /// Makes a data folder of its own instead of copying the one that this process made first: needed with arguments that hold from
    /// the first start only, such as another <c>innodb_data_file_path</c> or page size. Default: <value>false</value>.
    /// </summary>
    public bool OwnInstallation { get; init; }
}
