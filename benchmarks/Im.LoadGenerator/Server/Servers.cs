namespace Im.LoadGenerator.Server;

/// <summary>Makes the server and the store that the options ask for.</summary>
internal static class Servers
{
    public static IServer Create(Options options) => options.IsOwnServer ? Start(options) : new ForeignServer(options);

    public static BenchServerProcess Start(Options options)
    {
        var store = CreateStore(options);
        try
        {
            return new BenchServerProcess(options, store);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    public static IStore CreateStore(Options options) => options.Store switch
    {
        "sqlite" => new SqliteStore(options),
        "mysql" => new MySqlStore(options),
        _ => new MemoryStore(),
    };
}
