using System.Net.Sockets;

namespace Im.LocalServers;

/// <summary>A MariaDB server of its own on 127.0.0.1: utf8mb4, durable commits, root without a password.</summary>
public sealed class MariaDbServer : LocalServer
{
    private readonly string _program;
    private readonly MariaDbServerOptions _options;

    private MariaDbServer(string program, MariaDbServerOptions options)
        : base(NewFolder("mariadb", options.ParentFolder))
    {
        _program = program;
        _options = options;
    }

    /// <summary>The tables' files.</summary>
    public string DataFolder => Path.Combine(Folder, "data");

    /// <summary>Starts an empty server and waits until it answers.</summary>
    /// <exception cref="LocalServerException">A program is missing, or the server did not start.</exception>
    public static async Task<MariaDbServer> StartAsync(MariaDbServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new MariaDbServerOptions();
        var server = new MariaDbServer(Executables.Find("mariadbd", "mariadb-server"), options);
        try
        {
            if (options.OwnInstallation)
            {
                await MariaDbInstallation.InstallAsync(server.DataFolder, options.Arguments);
            }
            else
            {
                await MariaDbInstallation.CopyAsync(server.DataFolder);
            }

            await server.StartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>For MySql.Data and MySqlConnector.</summary>
    /// <param name="database">The default database, if any.</param>
    /// <param name="user">An account without a password.</param>
    /// <param name="port">Another port, such as a proxy's.</param>
    public string ConnectionString(string? database = null, string user = "root", int? port = null) =>
        $"Server={Host};Port={port ?? Port};User ID={user};SslMode=None"
        + (database is null ? "" : $";Database={database}");

    private protected override ServerProcess Run()
    {
        List<string> arguments =
        [
            "--no-defaults",
            $"--datadir={DataFolder}",
            $"--port={Port}",
            $"--bind-address={Host}",
            // Relative to the data folder: a path may be too long for a socket's address.
            "--socket=server.sock",
            $"--pid-file={Path.Combine(Folder, "server.pid")}",
            $"--log-error={LogFile}",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_bin",
            "--skip-name-resolve",
            "--max-connections=200",
            $"--innodb-buffer-pool-size={_options.BufferPoolMegabytes}M",
            $"--innodb-log-file-size={_options.LogFileMegabytes}M",
            "--innodb-buffer-pool-dump-at-shutdown=OFF",
            "--innodb-buffer-pool-load-at-startup=OFF",
        ];
        if (MariaDbInstallation.IsRoot)
        {
            arguments.Add("--user=root");
        }

        return ServerProcess.Start(_program, arguments.Concat(_options.Arguments), Folder);
    }

    private protected override async Task<bool> AnswersAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        // The server greets: four bytes of header, then the version of the protocol. Until it is up, nobody accepts or nobody greets.
        var greeting = new byte[5];
        return await stream.ReadAtLeastAsync(greeting, greeting.Length, throwOnEndOfStream: false, cancellationToken) == greeting.Length
            && greeting[4] == 10;
    }
}
