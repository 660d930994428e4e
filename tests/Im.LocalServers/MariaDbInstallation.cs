using System.Diagnostics;

namespace Im.LocalServers;

/// <summary>Empty data folders. One is made per process; the others are copies, which takes a fraction of the time.</summary>
internal static class MariaDbInstallation
{
    private static readonly Lazy<Task<string>> Template = new(MakeTemplateAsync);

    private static Watchdog? _templateWatchdog;

    public static bool IsRoot => Environment.IsPrivilegedProcess;

    public static async Task CopyAsync(string target)
    {
        var template = await Template.Value;
        Directory.CreateDirectory(target);
        foreach (var folder in Directory.EnumerateDirectories(template, "*", SearchOption.AllDirectories))
        {
            Directory.CreateDirectory(Path.Combine(target, Path.GetRelativePath(template, folder)));
        }

        foreach (var file in Directory.EnumerateFiles(template, "*", SearchOption.AllDirectories))
        {
            File.Copy(file, Path.Combine(target, Path.GetRelativePath(template, file)));
        }
    }

    /// <summary>Runs mariadb-install-db: root has no password there.</summary>
    public static async Task InstallAsync(string target, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(
            Executables.Find("mariadb-install-db", "mariadb-server"),
            [
                "--no-defaults", $"--datadir={target}", "--auth-root-authentication-method=normal", "--skip-test-db",
                "--innodb-log-file-size=4M", .. arguments,
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (IsRoot)
        {
            start.ArgumentList.Add("--user=root");
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        if (process.ExitCode != 0)
        {
            throw new LocalServerException($"mariadb-install-db failed ({process.ExitCode}):\n{await output}\n{await errors}");
        }
    }

    private static async Task<string> MakeTemplateAsync()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"im-mariadb-template-{Guid.NewGuid():n}"[..32]);
        // It lasts as long as this process, so nobody disposes of it.
        _templateWatchdog = new Watchdog(folder);
        await InstallAsync(folder, []);
        return folder;
    }
}
