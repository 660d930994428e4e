using Im.Protocol;
using Xunit.Abstractions;

namespace Im.Client.Tests;

public sealed class LifetimeTests(ITestOutputHelper output) : ClientTest
{
    [Fact]
    public async Task DisposeCanBeCalledAnyNumberOfTimesAndBeforeConnecting()
    {
        var client = NewClient();
        var waiting = Send(client, "m");
        await Task.WhenAll(client.DisposeAsync().AsTask(), client.DisposeAsync().AsTask()).WaitAsync(Wait.Limit);
        await client.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Wait.Limit));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.ConnectAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Send(client, "n"));
        Assert.Equal(ImCloseCode.Normal, (await client.Closed.WaitAsync(Wait.Limit)).Code);
        await foreach (var _ in client.ReadAsync())
        {
            Assert.Fail("There are no events.");
        }
    }

    [Fact]
    public async Task ADisposeInsideOfTheReadingLoopEndsIt()
    {
        var client = NewClient();
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(Packets.Inbox(1, 20));
        var seen = 0;
        await foreach (var _ in client.ReadAsync())
        {
            seen++;
            await client.DisposeAsync().AsTask().WaitAsync(Wait.Limit);
        }

        Assert.Equal(1, seen);
        await connection.AssertClosedAsync();
    }

    [Fact]
    public async Task ADisposeWhileTheBufferIsFullEndsEverything()
    {
        var client = NewClient(o => o.EventBufferSize = 1);
        using var connection = await ConnectAsync(client);
        await connection.SendAsync(Packets.Inbox(1, 100));
        await client.DisposeAsync().AsTask().WaitAsync(Wait.Limit);
        await connection.AssertClosedAsync();
    }

    /// <summary>Whatever a client is doing when it is disposed: its loops end, its socket closes, and everybody who waits is told.</summary>
    [Fact]
    public async Task ADisposeAtAnyStageLeavesNothingBehind()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), out var given) ? given : Random.Shared.Next();
        output.WriteLine($"IM_SEED={seed}");
        var random = new Random(seed);
        for (var round = 0; round < 100; round++)
        {
            var stage = random.Next(7);
            var spins = random.Next(2000);
            var client = NewClient(o => o.TokenProvider = stage == 0 ? async ct =>
            {
                await Task.Delay(Timeout.Infinite, ct);
                return "";
            }
            : null);
            var connecting = client.ConnectAsync();
            var sends = Enumerable.Range(0, 3).Select(i => Send(client, $"{round}-{i}")).ToList();
            var reading = ReadAllAsync(client);
            FakeConnection? connection = null;
            if (stage > 1)
            {
                connection = await Server.AcceptAsync();
            }

            if (stage > 2)
            {
                await connection!.SignInAsync(s => s.Reset = stage == 3);
            }

            if (stage > 3)
            {
                await connection!.SendAsync(Packets.Inbox(1, 50));
            }

            if (stage == 5)
            {
                connection!.Cut();
            }
            else if (stage == 6)
            {
                await connection!.CloseAsync(ImCloseCode.Replaced);
            }

            Thread.SpinWait(spins);
            await client.DisposeAsync().AsTask().WaitAsync(Wait.Limit);
            Assert.True(client.Closed.IsCompleted, $"stage {stage}, IM_SEED={seed}");
            await reading.WaitAsync(Wait.Limit);
            foreach (var task in sends.Append(connecting))
            {
                await Task.WhenAny(task).WaitAsync(Wait.Limit);
                Assert.True(task.IsFaulted || task == connecting, $"stage {stage}, IM_SEED={seed}");
                _ = task.Exception;
            }

            if (connection is not null && stage != 5)
            {
                await connection.AssertClosedAsync();
                connection.Dispose();
            }

            // Connections that nobody accepted are closed ones.
            while (Server.HasPending)
            {
                using var left = new FakeConnection(await Server.AcceptStreamAsync(), null);
                await left.AssertClosedAsync();
            }
        }

        static async Task ReadAllAsync(ImClient client)
        {
            try
            {
                await foreach (var _ in client.ReadAsync())
                {
                }
            }
            catch (ImClientException)
            {
            }
        }
    }
}
