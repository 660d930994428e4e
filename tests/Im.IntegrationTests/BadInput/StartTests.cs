using Im.IntegrationTests.Support;
using Im.Users;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Im.IntegrationTests.BadInput;

/// <summary>What a host has left out or set wrongly stops it at start, with the line to write.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task WithoutAUserProviderTheStartFailsWithTheLineToPaste()
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => TestServer.StartAsync(build: im => im.Services.RemoveAll<IUserProvider>()));

        Assert.EndsWith("builder.Services.AddImServer().AddUserProvider<MyUserProvider>();", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AllWrongOptionsAreReportedAtOnce()
    {
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => TestServer.StartAsync(options =>
        {
            options.NodeName = "";
            options.MaxConnections = 0;
            options.MaxFrameBytes = -1;
            options.IdleTimeout = TimeSpan.Zero;
        }));

        foreach (var option in new[] { "NodeName", "MaxConnections", "MaxFrameBytes", "IdleTimeout" })
        {
            Assert.Contains(failure.Failures, line => line.Contains(option, StringComparison.Ordinal));
        }
    }
}
