using System.Net.Sockets;

namespace Im.LocalServers;

/// <summary>A Redis server of its own on 127.0.0.1.</summary>
public sealed class RedisServer : LocalServer
{
    private readonly string _program;
    private readonly string[] _arguments;

    private RedisServer(string program, string[] arguments)
        : base(NewFolder("redis", null))
    {
        _program = program;
        _arguments = arguments;
    }

    /// <summary>For StackExchange.Redis.</summary>
    public string ConnectionString => $"{Host}:{Port}";

    /// <summary>Starts an empty server and waits until it answers.</summary>
    /// <param name="arguments">More arguments of redis-server; it keeps nothing on disk without, so a restart empties it.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="LocalServerException">The program is missing, or the server did not start.</exception>
    public static async Task<RedisServer> StartAsync(string[]? arguments = null, CancellationToken cancellationToken = default)
    {
        var server = new RedisServer(Executables.Find("redis-server", "redis-server"), arguments ?? []);
        try
        {
            await server.StartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private protected override ServerProcess Run() =>
        ServerProcess.Start(
            _program,
            [
                "--port", $"{Port}", "--bind", Host, "--dir", Folder, "--logfile", LogFile,
                "--save", "", "--appendonly", "no", "--daemonize", "no", .. _arguments,
            ],
            Folder);

    private protected override async Task<bool> AnswersAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync("PING\r\n"u8.ToArray(), cancellationToken);
        var answer = new byte[5];
        return await stream.ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, cancellationToken) == answer.Length
            && answer.AsSpan().SequenceEqual("+PONG"u8);
    }
}
