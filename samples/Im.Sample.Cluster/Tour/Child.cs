using System.Diagnostics;

namespace Im.Sample.Cluster.Tour;

/// <summary>A process that the tour started, and ends by its id; nothing else is ever ended. What it says goes into a file.</summary>
internal sealed class Child : IAsyncDisposable
{
    // The program ends when the pipe does: also when the tour itself is killed.
    private const string Guard = """log=$1; shift; "$@" >>"$log" 2>&1 & child=$!; echo $child; read -r word; kill -KILL $child; wait""";

    private readonly Process _process;
    private readonly string _log;

    private Child(Process process, string log, int id)
    {
        _process = process;
        _log = log;
        Id = id;
    }

    /// <summary>The program's process id.</summary>
    public int Id { get; }

    public static async Task<Child> StartAsync(string log, string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Guard, "sh", log, program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var id = int.Parse(await process.StandardOutput.ReadLineAsync() ?? "0", System.Globalization.CultureInfo.InvariantCulture);
        return new Child(process, log, id);
    }

    /// <summary>Why it is gone; null while it runs.</summary>
    public string? Failure => IsRunning ? null : $"Process {Id} has ended. What it said:\n{Said}";

    private bool IsRunning => Directory.Exists($"/proc/{Id}") && !File.ReadAllText($"/proc/{Id}/stat").Contains(") Z ", StringComparison.Ordinal);

    private string Said => File.Exists(_log) ? string.Join('\n', File.ReadLines(_log).TakeLast(15)) : "";

    /// <summary>SIGKILL, as a crash or a power cut would.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The shell is gone, and the program with it.
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
