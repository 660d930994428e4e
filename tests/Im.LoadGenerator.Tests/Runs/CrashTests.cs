namespace Im.LoadGenerator.Tests.Runs;

/// <summary>
/// A process that is killed under load loses nothing that it has acknowledged. A short form of the long run, which is the scenario's default:
/// <c>crash --store sqlite</c>.
/// </summary>
public sealed class CrashTests
{
    [Theory]
    [InlineData("sqlite", "server", "tcp")]
    [InlineData("mysql", "server", "ws")]
    [InlineData("mysql", "store", "tcp")]
    public async Task NothingAckedIsLostDuplicatedOrReorderedWhenAProcessIsKilled(string store, string killed, string transport)
    {
        var (exitCode, report, errors) = await Generator.RunJsonAsync(
            "crash", "--store", store, "--kill", killed, "--transport", transport, "--members", "60", "--kills", "4");
        Assert.True(exitCode == 0, $"{errors}\n{report}");
        Assert.Equal(4, report.GetProperty("kills").GetInt32());
        Assert.True(report.GetProperty("messages").GetInt64() > 100, $"Hardly any load: {report}");
        Assert.True(report.GetProperty("resent").GetInt64() > 0, $"No kill hit a message on its way: {report}");
        Assert.Equal(report.GetProperty("deliveries").GetInt64(), report.GetProperty("verified_deliveries").GetInt64());
    }
}
