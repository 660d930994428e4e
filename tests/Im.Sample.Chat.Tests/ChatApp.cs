using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using Im.LocalServers;

namespace Im.Sample.Chat.Tests;

/// <summary>The real sample as a child process with a data folder of its own; it can be killed and started again on the same port.</summary>
internal sealed class ChatApp(params string[] arguments) : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(40);

    private readonly string _data = Directory.CreateTempSubdirectory("im-chat-").FullName;
    private readonly LoopbackPort _port = new();
    private readonly LoopbackPort _tcpPort = new();
    private readonly ConcurrentQueue<string> _output = new();
    private Process? _process;

    public string Url => $"http://127.0.0.1:{_port.Number}";

    public int TcpPort => _tcpPort.Number;

    /// <summary>What the process wrote, for a failing test's message.</summary>
    public string Output => string.Join('\n', _output);

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            ArgumentList =
            {
                TestPaths.SampleProgram, "--contentRoot", TestPaths.SampleFolder, "--urls", Url, "--Data:Path", _data,
                "--Im:TcpPort", TcpPort.ToString(CultureInfo.InvariantCulture), "--Chat:MaxSignInsPerMinute", "1000",
            },
        };
        Array.ForEach(arguments, start.ArgumentList.Add);
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _process = process;
        await WaitUntilServingAsync(process);
    }

    /// <summary>Ends the process as a crash would: no drain, no goodbye.</summary>
    public async Task KillAsync()
    {
        if (_process is not { } process)
        {
            return;
        }

        _process = null;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        process.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _port.Dispose();
        _tcpPort.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    private async Task WaitUntilServingAsync(Process process)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        using var deadline = new CancellationTokenSource(StartTimeout);
        while (true)
        {
            Assert.False(process.HasExited, "The sample ended at its start:\n" + Output);
            try
            {
                using var response = await client.GetAsync(Url + "/api/me", deadline.Token);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
                return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested)
            {
                Assert.Fail("The sample does not serve:\n" + Output);
            }

            await Task.Delay(100);
        }
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _output.Enqueue(line);
        }
    }
}
