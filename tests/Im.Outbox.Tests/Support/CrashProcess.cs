using System.Diagnostics;

namespace Im.Outbox.Tests.Support;

/// <summary>A process of Im.Outbox.CrashHost.</summary>
internal sealed class CrashProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly Process _process;
    private readonly Task<string> _errors;

    private CrashProcess(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    public static CrashProcess Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments.Prepend(Path.Combine(AppContext.BaseDirectory, "Im.Outbox.CrashHost.dll")))
        {
            start.ArgumentList.Add(argument);
        }

        return new CrashProcess(Process.Start(start)!);
    }

    /// <summary>The lines before the one that is waited for.</summary>
    public async Task<List<string>> ReadUntilAsync(string end)
    {
        var lines = new List<string>();
        while (await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            if (line == end)
            {
                return lines;
            }

            lines.Add(line);
        }

        await _process.WaitForExitAsync().WaitAsync(Patience);
        throw new InvalidOperationException($"The process ended with {_process.ExitCode} before \"{end}\":\n{await _errors}");
    }

    /// <summary>How often the process, which has ended, has said this since it was listened to.</summary>
    public async Task<int> CountAsync(string line) =>
        (await _process.StandardOutput.ReadToEndAsync().WaitAsync(Patience)).Split('\n').Count(said => said == line);

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }
}
