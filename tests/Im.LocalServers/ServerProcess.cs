using System.Diagnostics;

namespace Im.LocalServers;

/// <summary>One run of a server's program: ended by its id, and never left behind.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process _process;
    private readonly Watchdog _watchdog;

    private ServerProcess(Process process, Watchdog watchdog)
    {
        _process = process;
        _watchdog = watchdog;
        Id = process.Id;
    }

    public int Id { get; }

    public bool HasExited => _process.HasExited;

    public static ServerProcess Start(string program, IEnumerable<string> arguments, string folder)
    {
        // Own pipes: what a server inherits would keep the output of a test run open.
        var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        })!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        return new ServerProcess(process, new Watchdog(folder, process.Id));
    }

    /// <summary>SIGKILL: what a crash looks like.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>SIGTERM, and SIGKILL for one that does not listen.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        Signals.Send(Id, Signals.Terminate);
        try
        {
            await _process.WaitForExitAsync().WaitAsync(patience);
        }
        catch (TimeoutException)
        {
            await KillAsync();
        }
    }

    public void Signal(int signal) => Signals.Send(Id, signal);

    /// <summary>Only after the server's end.</summary>
    public void Dispose()
    {
        _watchdog.Dispose();
        _process.Dispose();
    }
}
