using System.Net;
using System.Net.Sockets;

namespace Im.LocalServers;

/// <summary>A server with a folder and a port of its own that lives no longer than this object.</summary>
/// <remarks>Its methods are for one caller at a time.</remarks>
public abstract class LocalServer : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(15);

    private readonly LoopbackPort _port = new();
    private ServerProcess? _process;

    private protected LocalServer(string folder)
    {
        Folder = folder;
    }

    /// <summary>Where it listens; the same over restarts.</summary>
    public string Host => "127.0.0.1";

    /// <summary>Where it listens; the same over restarts.</summary>
    public int Port => _port.Number;

    /// <summary>Everything that the server writes; deleted with it.</summary>
    public string Folder { get; }

    /// <summary>The server's process, another one after each restart. 0 while it is down.</summary>
    public int ProcessId => _process?.Id ?? 0;

    /// <summary>What the server wrote into its log so far.</summary>
    public string Log => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    private protected string LogFile => Path.Combine(Folder, "server.log");

    /// <summary>Ends it at once (SIGKILL), as a crash would. Its data stay.</summary>
    public async Task KillAsync()
    {
        if (Interlocked.Exchange(ref _process, null) is { } process)
        {
            using (process)
            {
                await process.KillAsync();
            }
        }
    }

    /// <summary>Shuts it down in order. Its data stay until it is disposed of.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _process, null) is { } process)
        {
            using (process)
            {
                await process.StopAsync(StopPatience);
            }
        }
    }

    /// <summary>Starts it on the same data and port; one that still runs is shut down first.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await StopAsync();
        await StartAsync(cancellationToken);
    }

    /// <summary>It keeps its sockets and locks but does nothing (SIGSTOP) until <see cref="Thaw"/>.</summary>
    public void Freeze() => _process?.Signal(Signals.Stop);

    /// <summary>Ends <see cref="Freeze"/>.</summary>
    public void Thaw() => _process?.Signal(Signals.Continue);

    /// <summary>Ends it and deletes its folder.</summary>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _port.Dispose();
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }

        GC.SuppressFinalize(this);
    }

    private protected abstract ServerProcess Run();

    /// <summary>Whether a server that has accepted a connection answers as it should.</summary>
    private protected abstract Task<bool> AnswersAsync(NetworkStream stream, CancellationToken cancellationToken);

    private protected static string NewFolder(string name, string? parent)
    {
        var folder = Path.Combine(parent ?? Path.GetTempPath(), $"im-{name}-{Guid.NewGuid():n}"[..24]);
        Directory.CreateDirectory(folder);
        return folder;
    }

    private protected async Task StartAsync(CancellationToken cancellationToken)
    {
        var process = Run();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(StartPatience);
        try
        {
            while (!await TryConnectAsync(deadline.Token))
            {
                if (process.HasExited)
                {
                    throw new LocalServerException($"{GetType().Name} ended while it started. Its log:\n{Log}");
                }

                await Task.Delay(Poll, deadline.Token);
            }

            _process = process;
        }
        catch (Exception failure)
        {
            await process.KillAsync();
            process.Dispose();
            if (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                throw new LocalServerException($"{GetType().Name} did not answer within {StartPatience.TotalSeconds} s. Its log:\n{Log}", failure);
            }

            throw;
        }
    }

    private async Task<bool> TryConnectAsync(CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, Port, cancellationToken);
            await using var stream = new NetworkStream(socket);
            return await AnswersAsync(stream, cancellationToken);
        }
        catch (Exception failure) when (failure is SocketException or IOException)
        {
            return false;
        }
    }
}
