using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Model;
using Im.Protocol;

namespace Im.IntegrationTests.SlowReaders;

/// <summary>A tenth of a big group does not read at all: the others do not notice, the server's memory is bounded, and nothing is lost.</summary>
public sealed class SlowReaderTests
{
    private const int Members = 500;
    private const int Stopped = 50;
    private const int Messages = 300;
    private const int MaxQueueBytes = 32 * 1024;
    private const int BodyBytes = 4000;

    [Theory]
    [InlineData("write", Wire.Tcp)]
    [InlineData("read", Wire.Tcp)]
    [InlineData("write", Wire.Json)]
    public async Task WhoDoesNotReadHoldsNobodyBackAndGetsEverythingLater(string fanout, Wire wire)
    {
        await using var server = await TestServer.StartAsync(options =>
        {
            options.MaxQueueBytes = MaxQueueBytes;
            options.MaxPageBytes = 16 * 1024;
        });
        var users = Enumerable.Range(0, Members).Select(i => $"m{i:000}").ToArray();
        var group = await server.Im.Groups.CreateAsync(
            new NewGroup { Info = new Model.GroupInfo("Big"), MemberIds = users, ActorId = "$test", Fanout = fanout });
        var stopped = new IWireClient[Stopped];
        var reading = new IWireClient[Members - Stopped];
        for (var i = 0; i < Members; i++)
        {
            if (i < Stopped)
            {
                stopped[i] = await server.SignInAsync(wire, users[i], receiveBufferBytes: 4096);
            }
            else
            {
                reading[i - Stopped] = await server.SignInAsync(wire, users[i]);
            }
        }

        var everybodyElse = Task.WhenAll(reading.Select(ReadAllAsync));
        var largest = 0;
        for (var i = 0; i < Messages; i++)
        {
            var message = new OutgoingMessage
            {
                SenderId = "$test", ConversationId = group.ConversationId, Content = MessageContent.FromText(new string('x', BodyBytes) + i),
            };
            (await server.Im.Messages.SendAsync(message).AsTask().InTimeAsync()).EnsureAccepted();
            largest = Math.Max(largest, LargestQueue(server));
        }

        await everybodyElse.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.All(users[..Stopped], user => Assert.False(server.Connections.Sessions.Get(user).IsEmpty));
        Assert.InRange(largest, BodyBytes, MaxQueueBytes);
        Assert.True(server.Metrics["im.sessions.behind"] >= Stopped);

        await Task.WhenAll(stopped.Select(ReadAllAsync)).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Empty(server.Logs.Errors);
        await Task.WhenAll(stopped.Concat(reading).Select(client => client.DisposeAsync().AsTask()));
    }

    // Each message once and in order, by the seq of its timeline.
    private static async Task ReadAllAsync(IWireClient client)
    {
        var cursor = 0L;
        var received = 0;
        while (received < Messages)
        {
            var push = (await client.WaitForAsync(ServerPacket.PacketOneofCase.Push)).Push;
            var first = push.FirstInboxSeq + push.FirstConversationSeq;
            Assert.True(cursor == 0 || first == cursor + 1, $"{first} after {cursor}");
            cursor = first + push.Entries.Count - 1;
            foreach (var entry in push.Entries.Where(entry => entry.Content is not null))
            {
                Assert.Equal($"{received++}", entry.Content.Text[BodyBytes..]);
            }
        }
    }

    private static int LargestQueue(TestServer server) => server.Connections.All.Max(connection => connection.Outbox.QueuedBytes);
}
