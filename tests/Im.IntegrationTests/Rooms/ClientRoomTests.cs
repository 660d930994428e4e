using Im.Client;
using Im.Diagnostics;
using Im.IntegrationTests.Support;
using Im.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.Rooms;

/// <summary>The C# client in rooms of the real server.</summary>
public sealed class ClientRoomTests
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("ws")]
    public async Task AClientThatComesBackGetsWhatTheRoomHasKeptAndIsToldOfTheRest(string transport)
    {
        await using var server = await TestServer.StartAsync(build: im => im.AllowAllRooms().UseRooms(options => options.ReplayMessages = 10));
        await using var bob = await TestDevice.ConnectAsync(server, transport, "bob");
        await bob.NextAsync<ImResetEvent>();
        await bob.Client.SubscribeRoomAsync("r").WaitAsync(TestDevice.Limit);
        Assert.Equal(1, (await bob.Client.SendTextToRoomAsync("r", "m1").WaitAsync(TestDevice.Limit)).Seq);
        await AssertNextAsync(bob, 1, 1);

        await CutAsync(server, bob);
        await SendAsync(server, 2, 4);
        await AssertNextAsync(bob, 2, 4);

        await CutAsync(server, bob, whileAway: () => SendAsync(server, 5, 24));
        Assert.Equal(new ImRoomGapEvent("r", RoomPriority.Normal, 5, 14), await bob.NextAsync<ImRoomGapEvent>());
        await AssertNextAsync(bob, 15, 24);

        await bob.Client.LeaveRoomAsync("r").WaitAsync(TestDevice.Limit);
        await CutAsync(server, bob);
        await bob.Client.LeaveRoomAsync("nothing").WaitAsync(TestDevice.Limit);
        Assert.Equal(0, await server.Im.Rooms.CountSubscribersAsync("r").AsTask().InTimeAsync());
    }

    private static async Task SendAsync(TestServer server, int first, int last) => await server.Im.Rooms.SendAsync(
        "r", [.. Enumerable.Range(first, last - first + 1).Select(i => RoomTests.Message($"m{i}"))]).AsTask().InTimeAsync();

    private static async Task CutAsync(TestServer server, TestDevice device, Func<Task>? whileAway = null)
    {
        var signIns = device.SignIns;
        using var gate = new Gate(server.Checkpoints, Checkpoint.SignInRegistered);
        server.Connections.Sessions.Get("bob")[0].Connection.Close(ImCloseCode.Idle, "cut", TimeSpan.Zero);

        // It stands at the door meanwhile, and subscribes only when it is in.
        await gate.ReachedAsync();
        if (whileAway is not null)
        {
            await whileAway();
        }

        gate.Release();
        await TestDevice.UntilAsync(() => device.SignIns > signIns && device.Client.State == ImClientState.Connected);
    }

    private static async Task AssertNextAsync(TestDevice device, long first, long last)
    {
        for (var seq = first; seq <= last; seq++)
        {
            var message = await device.NextAsync<ImRoomMessageEvent>();
            Assert.Equal(("r", seq, $"m{seq}"), (message.RoomId, message.Seq, message.Message.Content.Text));
        }
    }
}
