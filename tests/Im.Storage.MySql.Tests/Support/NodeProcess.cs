using System.Diagnostics;
using Im.LocalServers;

namespace Im.Storage.MySql.Tests.Support;

/// <summary>A process of Im.Storage.MySql.NodeHost: the stores of one node, to be killed and frozen.</summary>
internal sealed class NodeProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private NodeProcess(Process process) => _process = process;

    public static NodeProcess Start(string connectionString, string node, string instance)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (var argument in new[] { Path.Combine(AppContext.BaseDirectory, "Im.Storage.MySql.NodeHost.dll"), connectionString, node, instance })
        {
            start.ArgumentList.Add(argument);
        }

        return new NodeProcess(Process.Start(start)!);
    }

    public async Task SayAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>What it says next.</summary>
    public async Task<string?> HearAsync() => await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience);

    public void Freeze() => Signals.Send(_process.Id, Signals.Stop);

    public void Thaw() => Signals.Send(_process.Id, Signals.Continue);

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
