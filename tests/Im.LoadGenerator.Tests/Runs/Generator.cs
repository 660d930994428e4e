using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace Im.LoadGenerator.Tests.Runs;

/// <summary>Runs the program as somebody at a terminal would.</summary>
internal static class Generator
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [FindProgram(), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Patience);
        var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
        var errors = process.StandardError.ReadToEndAsync(deadline.Token);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            return (process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{string.Join(' ', arguments)} did not end within {Patience.TotalSeconds} s.");
        }
    }

    /// <summary>The object in the last line.</summary>
    public static async Task<(int ExitCode, JsonElement Report, string Errors)> RunJsonAsync(params string[] arguments)
    {
        var (exitCode, output, errors) = await RunAsync([.. arguments, "--json"]);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length > 0 && lines[^1].StartsWith('{')
            ? (exitCode, JsonDocument.Parse(lines[^1]).RootElement, errors)
            : throw new InvalidOperationException($"Exit code {exitCode} and no report. Standard error:\n{errors}");
    }

    private static string FindProgram()
    {
        var configuration = typeof(Generator).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Configuration").Value!;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Im.Embedded.sln")))
            {
                return Path.Combine(folder.FullName, "benchmarks", "Im.LoadGenerator", "bin", configuration, "net10.0", "Im.LoadGenerator.dll");
            }
        }

        throw new InvalidOperationException("Im.Embedded.sln was not found above the tests.");
    }
}
