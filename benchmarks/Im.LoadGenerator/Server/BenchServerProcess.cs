using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Im.LoadGenerator.Clients;
using Im.LoadGenerator.Wire;

namespace Im.LoadGenerator.Server;

/// <summary>Im.BenchServer as a process of its own, with its control channel on standard input and output.</summary>
internal sealed class BenchServerProcess : IServer
{
    private const int MaxMessages = 20;
    private const int MaxMessageLength = 400;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly Options _options;
    private readonly IStore _store;
    private Process _process = null!;
    private BlockingCollection<string> _lines = [];
    private string? _ready;
    private int _messages;

    public BenchServerProcess(Options options, IStore store)
    {
        _options = options;
        _store = store;
        Start();
    }

    public Target Target { get; private set; } = null!;

    public int? Pid => _process.Id;

    public IStore Store => _store;

    public int? StorePid => _store.Pid;

    /// <summary>Starts the process and waits until it listens.</summary>
    public void Start()
    {
        Begin();
        var deadline = Stopwatch.GetTimestamp() + (long)(Timeout.TotalSeconds * Stopwatch.Frequency);
        while (!TryFinishStart())
        {
            if (Stopwatch.GetTimestamp() > deadline)
            {
                throw new RunFailedException("The server did not start within a minute.");
            }

            Thread.Sleep(5);
        }
    }

    /// <summary>Starts the process; <see cref="TryFinishStart"/> says when it listens.</summary>
    public void Begin()
    {
        _lines = [];
        _ready = null;
        var lines = _lines;
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(FindServer());
        foreach (var argument in _store.ServerArguments.Concat(_options.ServerOptions.Select(option => "--" + option)))
        {
            start.ArgumentList.Add(argument);
        }

        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is { } text)
            {
                lines.Add(text);
            }
            else
            {
                lines.CompleteAdding();
            }
        };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { Length: > 0 } text)
            {
                PassOn(text);
            }
        };
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>True: it listens. Does not wait.</summary>
    public bool TryFinishStart()
    {
        if (_ready is not null)
        {
            return true;
        }

        if (!_lines.TryTake(out _ready))
        {
            return _lines.IsCompleted
                ? throw new RunFailedException("The server ended before it listened; its messages are above.")
                : false;
        }

        var words = _ready.Split(' ');
        if (words is not ["ready", var tcp, var web])
        {
            throw new RunFailedException($"The server said \"{_ready}\" instead of its ports.");
        }

        var port = int.Parse(_options.Transport == TransportKind.Tcp ? tcp : web, CultureInfo.InvariantCulture);
        Target = new Target(new IPEndPoint(IPAddress.Loopback, port), _options.Transport, $"127.0.0.1:{port}", "/im");
        return true;
    }

    public void CreateGroup(string groupId, string? fanout, int first, int count) =>
        Command($"group {groupId} {fanout ?? "auto"} {count} {first} {_options.User}");

    public long? GetAllocatedBytes() => long.Parse(Command("allocated"), CultureInfo.InvariantCulture);

    public void Collect() => Command("gc");

    /// <summary>SIGKILL, and nothing else: the kernel closes its sockets.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    /// <summary>Asks it to end, waits, and cuts it off when it does not.</summary>
    public void Stop()
    {
        try
        {
            _process.StandardInput.Close();
            if (!_process.WaitForExit(Timeout))
            {
                _process.Kill();
                _process.WaitForExit();
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException)
        {
            // It is gone already.
        }

        _process.Dispose();
    }

    public void Dispose()
    {
        Stop();
        _store.Dispose();
    }

    private string Command(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        if (!_lines.TryTake(out var answer, Timeout) || !answer.StartsWith("ok", StringComparison.Ordinal))
        {
            throw new RunFailedException($"The server answered \"{command.Split(' ')[0]}\" with: {answer ?? "nothing"}");
        }

        return answer[2..].Trim();
    }

    // A server whose database was killed says so for every request that failed.
    private void PassOn(string message)
    {
        if (_messages++ < MaxMessages)
        {
            Console.Error.WriteLine($"[server] {(message.Length > MaxMessageLength ? message[..MaxMessageLength] + " …" : message)}");
            if (_messages == MaxMessages)
            {
                Console.Error.WriteLine("[server] (its further messages are not shown)");
            }
        }
    }

    // Beside this program's own output, in the folder of its own project.
    private static string FindServer()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var path = Path.GetFullPath(Path.Combine(
            AppContext.BaseDirectory, "..", "..", "..", "..", "Im.BenchServer", "bin", output.Parent!.Name, output.Name, "Im.BenchServer.dll"));
        return File.Exists(path)
            ? path
            : throw new UsageException($"There is no {path}. Build it: dotnet build -c {output.Parent.Name} benchmarks/Im.BenchServer");
    }
}
