using Im.LocalServers;

namespace Im.LoadGenerator.Server;

/// <summary>A MariaDB server of its own, started for the run.</summary>
internal sealed class MySqlStore : IStore
{
    private const string Database = "im_load";

    private readonly MariaDbServer _server;

    public MySqlStore(Options options)
    {
        try
        {
            _server = MariaDbServer.StartAsync(new MariaDbServerOptions
            {
                BufferPoolMegabytes = 512,
                LogFileMegabytes = 512,
                ParentFolder = options.Data,
            }).GetAwaiter().GetResult();
        }
        catch (LocalServerException exception)
        {
            throw new UsageException(exception.Message);
        }
    }

    public IReadOnlyList<string> ServerArguments => ["--store", "mysql", "--connection", _server.ConnectionString(), "--database", Database];

    public int? Pid => _server.ProcessId;

    public void Kill() => _server.KillAsync().GetAwaiter().GetResult();

    public void Restart() => _server.RestartAsync().GetAwaiter().GetResult();

    public void Dispose() => _server.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
