using Im.Client;
using Im.ClusterTests.Cluster;
using Im.ClusterTests.Load;
using Im.LocalServers;
using Im.Protocol;

namespace Im.ClusterTests;

/// <summary>What must be there once: a node's name, a device's connection.</summary>
[Collection(SharedClusterCollection.Name)]
public sealed class NameAndDeviceTests(SharedCluster shared)
{
    [Theory(Timeout = 60_000)]
    [InlineData("--Unused", "1")] // Both keep the name.
    [InlineData("--Redis:KeyPrefix", "other")] // Only the database.
    [InlineData("--database", "im_other")] // Only Redis.
    public async Task ASecondProcessOfTheSameNameDoesNotStart(string option, string value)
    {
        // By default it waits for 10 s: it may be the restart of a process that is just ending.
        string[] arguments = [.. shared.Cluster.Arguments, "--MySql:NodeNameWait", "00:00:01"];
        if (option == "--database")
        {
            await shared.Cluster.ExecuteAsync($"CREATE DATABASE IF NOT EXISTS {value}");
            arguments[1] = shared.Cluster.MariaDb.ConnectionString(value);
        }
        else
        {
            arguments = [.. arguments, option, value];
        }

        var failure = await Assert.ThrowsAsync<LocalServerException>(() => NodeProcess.StartAsync("node1", arguments));
        Assert.Contains("node1", failure.Message);
        Assert.Contains("ImServerOptions.NodeName", failure.Message);

        // The first one noticed nothing.
        await shared.Cluster.WhenHealthyAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task ADeviceThatSignsInOnTwoNodesAtOnceStaysOnExactlyOne()
    {
        for (var round = 0; round < 10; round++)
        {
            var user = shared.NewUser("twin");
            await using var first = Person.Begin(user, "d", shared.One);
            await using var second = Person.Begin(user, "d", shared.Two);
            var closed = await (await Task.WhenAny(first.Client.Closed, second.Client.Closed).WaitAsync(TimeSpan.FromSeconds(15)));
            Assert.Equal(ImCloseCode.Replaced, closed.Code);
            var stays = first.Client.Closed.IsCompleted ? second : first;
            await Wait.UntilAsync(() => stays.Client.State == ImClientState.Connected, "Nobody stays.");

            // It is the one that others reach.
            await using var other = await Person.ConnectAsync(shared.NewUser("other"), "d", stays == first ? shared.Two : shared.One);
            await other.SayAsync(stays, "who is it?");
            await stays.HearAsync("who is it?", 5);
            Assert.False(stays.Client.Closed.IsCompleted);
        }
    }
}
