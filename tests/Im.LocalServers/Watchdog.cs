using System.Diagnostics;

namespace Im.LocalServers;

/// <summary>Cleans up when this process could not: one that is killed can neither end its children nor delete their folders.</summary>
/// <remarks>
/// A shell waits for the end of a pipe that only this process holds. When the pipe ends without a word, the shell ends the server
/// and removes its folder.
/// </remarks>
internal sealed class Watchdog : IDisposable
{
    private const string Script =
        """trap '' TERM INT HUP; if ! read -r word; then if [ -n "$2" ]; then kill -KILL "$2" 2>/dev/null; fi; rm -rf "$1"; fi""";

    private readonly Process _shell;

    public Watchdog(string folder, int? processId = null)
    {
        _shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", Script, "sh", folder, $"{processId}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    /// <summary>Nothing is left to do for it.</summary>
    public void Dispose()
    {
        try
        {
            _shell.StandardInput.WriteLine("done");
            _shell.StandardInput.Close();
        }
        catch (IOException)
        {
            // Somebody ended it.
        }

        _shell.Dispose();
    }
}
