using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Im.IntegrationTests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests;

/// <summary>Runs the JavaScript client's own tests against a real server. They need Node 20 or later on the path.</summary>
public sealed class JavaScriptClientTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task TheJavaScriptClientChatsReconnectsAndReadsWithARealServer()
    {
        var (_, version) = await RunNodeAsync(["--version"], url: null);
        var major = int.Parse(version.Trim().TrimStart('v').Split('.')[0], System.Globalization.CultureInfo.InvariantCulture);
        await using var server = await TestServer.StartAsync(build: im => im.AllowAllRooms());
        await using var cluster = await TwoNodes.StartAsync();

        // Before Node 22 the global WebSocket is behind a flag; NODE_OPTIONS reaches the test runner's child processes too.
        var flags = major < 22 ? "--experimental-websocket" : "";
        var (exitCode, output) = await RunNodeAsync(["--test", "--test-reporter=tap", "test/real-server.test.js"], server.WebSocketUri, flags, cluster);

        Assert.True(exitCode == 0, $"node ended with {exitCode}:\n{output}");
        Assert.Contains("\n# skipped 0", output, StringComparison.Ordinal);
        Assert.DoesNotContain("\n# pass 0", output, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output)> RunNodeAsync(string[] arguments, Uri? url, string nodeOptions = "", TwoNodes? cluster = null)
    {
        var start = new ProcessStartInfo("node", arguments)
        {
            WorkingDirectory = ClientDirectory(),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["IM_SERVER_URL"] = url?.ToString();
        start.Environment["IM_NODE_URLS"] = cluster is null ? null : $"{cluster.First.WebSocketUri} {cluster.Second.WebSocketUri}";
        start.Environment["NODE_OPTIONS"] = nodeOptions;
        using var node = Start(start);
        var output = node.StandardOutput.ReadToEndAsync();
        var errors = node.StandardError.ReadToEndAsync();
        using var timeout = new CancellationTokenSource(Timeout);
        try
        {
            await node.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            node.Kill(entireProcessTree: true);
            Assert.Fail($"node did not end within {Timeout}:\n{await output.WaitAsync(Timeout)}{await errors.WaitAsync(Timeout)}");
        }

        return (node.ExitCode, await output.WaitAsync(Timeout) + await errors.WaitAsync(Timeout));
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new InvalidOperationException("node is missing: install Node 20 or later and put it on the PATH, this test runs the JavaScript client.", exception);
        }
    }

    private static string ClientDirectory([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "clients", "javascript"));
}
