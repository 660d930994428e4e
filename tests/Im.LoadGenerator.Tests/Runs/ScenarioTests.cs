namespace Im.LoadGenerator.Tests.Runs;

/// <summary>Each scenario once, small, against the server that the generator starts.</summary>
public sealed class ScenarioTests
{
    private static readonly string[] Fields =
    [
        "scenario", "transport", "store", "fanout", "members", "messages", "deliveries", "lost", "duplicated", "reordered", "seconds",
        "deliveries_per_second", "server_cpu_seconds", "server_cpu_seconds_per_million", "store_cpu_seconds", "p50_ms", "p99_ms", "p999_ms",
        "server_rss_mb", "server_allocated_bytes_per_delivery", "server_rss_bytes_per_connection",
    ];

    [Theory]
    [InlineData("tcp", "write")]
    [InlineData("ws", "read")]
    [InlineData("ws-json", "write")]
    public async Task AGroupGetsEveryMessageOfEveryRound(string transport, string fanout)
    {
        var (exitCode, report, errors) = await Generator.RunJsonAsync(
            "group", "--members", "20", "--messages", "30", "--rounds", "5", "--transport", transport, "--fanout", fanout);
        Assert.True(exitCode == 0, errors);
        Assert.Equal(150, report.GetProperty("messages").GetInt64());
        Assert.Equal(3000, report.GetProperty("deliveries").GetInt64());
        Assert.Equal(0, report.GetProperty("lost").GetInt64() + report.GetProperty("duplicated").GetInt64() + report.GetProperty("reordered").GetInt64());
        Assert.Equal((transport, fanout), (report.GetProperty("transport").GetString(), report.GetProperty("fanout").GetString()));
        Assert.DoesNotContain(Fields, field => !report.TryGetProperty(field, out _));
    }

    [Theory]
    [InlineData("direct", "--seconds", "500ms", "--connections", "8", "--in-flight", "3")]
    [InlineData("echo", "--seconds", "500ms", "--connections", "8", "--transport", "ws-json")]
    [InlineData("open-loop", "--seconds", "500ms", "--members", "10", "--rate", "500")]
    [InlineData("slow", "--seconds", "500ms", "--members", "20", "--fanout", "write")]
    [InlineData("room", "--members", "20", "--messages", "30", "--rounds", "5")]
    [InlineData("room", "--members", "20", "--messages", "30", "--rounds", "5", "--transport", "ws-json")]
    [InlineData("storm", "--connections", "150", "--fanout", "read")]
    [InlineData("sync", "--messages", "300", "--store", "sqlite")]
    [InlineData("idle", "--seconds", "500ms", "--connections", "50")]
    public async Task AScenarioEndsClean(params string[] arguments)
    {
        var (exitCode, report, errors) = await Generator.RunJsonAsync([.. arguments, "--warmup", "0"]);
        Assert.True(exitCode == 0, errors);
        Assert.True(arguments[0] == "idle" || report.GetProperty("deliveries").GetInt64() > 0);
    }

    [Fact]
    public async Task ARunWhoseMessagesAreRefusedHasAnotherExitCode()
    {
        var (exitCode, report, errors) = await Generator.RunJsonAsync(
            "group", "--members", "3", "--messages", "3", "--rounds", "1", "--warmup", "0", "--patience", "5s", "--server-option", "Im:MaxBodyBytes=50");
        Assert.Equal(1, exitCode);
        Assert.Equal(9, report.GetProperty("lost").GetInt64());
        Assert.Contains("body_too_large", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing", "The first argument is a scenario")]
    [InlineData("group --members many", "--members is a number")]
    [InlineData("crash --store memory", "crash needs a store that survives")]
    [InlineData("group --server somewhere:1", "name a group with --group")]
    [InlineData("group --color red", "Unknown option --color")]
    public async Task WrongUsageSaysWhatIsRight(string arguments, string message)
    {
        var (exitCode, _, errors) = await Generator.RunAsync(arguments.Split(' '));
        Assert.Equal(2, exitCode);
        Assert.Contains(message, errors, StringComparison.Ordinal);
    }
}
