using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Im.IntegrationTests.Support;
using Im.Protocol;
using Xunit.Abstractions;

namespace Im.IntegrationTests.BadInput;

/// <summary>
/// Valid packet streams with random damage, over sockets of a live server: nothing is logged as an error, nothing is left behind, and others
/// are served. IM_SEED repeats a run; IM_MUTATIONS asks for more than the 20,000 of a normal run.
/// </summary>
public sealed class MutationTests(ITestOutputHelper output)
{
    private const int Workers = 4;
    private const int PerConnection = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(Wire.Tcp)]
    [InlineData(Wire.WebSocket)]
    [InlineData(Wire.Json)]
    public async Task DamagedStreamsHarmNobody(Wire wire)
    {
        var seed = Number("IM_SEED", Environment.TickCount);
        var wanted = Number("IM_MUTATIONS", 20_000);
        output.WriteLine($"IM_SEED={seed}");
        var unobserved = 0;
        EventHandler<UnobservedTaskExceptionEventArgs> count = (_, args) =>
        {
            if (args.Exception.ToString().Contains(" Im.", StringComparison.Ordinal) && !args.Exception.ToString().Contains("Im.IntegrationTests", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref unobserved);
            }
        };
        TaskScheduler.UnobservedTaskException += count;
        try
        {
            await using var server = await TestServer.StartAsync();
            await using var bystander = await server.SignInAsync(Wire.Tcp, "bystander");
            var left = wanted;
            var clock = Stopwatch.StartNew();

            // A normal run is bounded in time; one that was asked for is not.
            bool GoesOn() => Volatile.Read(ref left) > 0 && (wanted > 20_000 || clock.Elapsed < Limit);
            await Task.WhenAll(Enumerable.Range(0, Workers).Select(async worker =>
            {
                var random = new Random(seed + worker);
                while (GoesOn())
                {
                    Interlocked.Add(ref left, -await DamageAsync(server, wire, random, $"w{worker}"));
                }
            })).WaitAsync(TimeSpan.FromHours(1));
            output.WriteLine($"{wanted - left} mutations in {clock.Elapsed}");

            await bystander.PingAsync();
            await using (var next = await server.SignInAsync(wire, "next"))
            {
                await next.PingAsync();
            }

            await Wait.ForAsync(() => server.Connections.Count == 1, "the connections to be gone");
            Assert.Empty(server.Logs.Errors);
            Assert.True(server.Metrics["im.packets.received bad"] > 0);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= count;
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(0, unobserved);
    }

    // Writes damaged streams on one connection until the server has closed it, and returns how many.
    private static async Task<int> DamageAsync(TestServer server, Wire wire, Random random, string user)
    {
        await using var client = await server.ConnectAsync(wire);
        if (random.Next(3) != 0)
        {
            // A damaged stream of another worker may sign the same device in just now, and replace this one: so the reply is not waited for.
            await client.WriteAsync(new ClientPacket { SignIn = new SignIn { Token = user, DeviceId = $"d{random.Next(3)}" } });
        }

        var reading = ReadToEndAsync(client);
        var done = 0;
        try
        {
            while (done < PerConnection && !reading.IsCompleted)
            {
                var stream = new List<byte>();
                for (var packets = random.Next(1, 4); packets > 0; packets--)
                {
                    stream.AddRange(client.ToFrame(PacketCodec.Write(RandomPacket(random), Wires.CodecOf(wire))));
                }

                await client.WriteBytesAsync(Damage(random, stream));
                done++;
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            // The server has closed it: the damage before was enough.
        }

        client.Reset();
        await reading;
        return Math.Max(done, 1);
    }

    private static async Task ReadToEndAsync(IWireClient client)
    {
        try
        {
            while (await client.TryReadAsync() is not null)
            {
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Reset by either side.
        }
    }

    private static ClientPacket RandomPacket(Random random)
    {
        var packet = new ClientPacket { RequestId = (uint)random.Next(3) };
        switch (random.Next(8))
        {
            case 0:
                packet.SignIn = new SignIn { Token = "w0", DeviceId = "d0", InboxCursor = random.Next(3) };
                break;
            case 1:
                packet.Ping = new Ping();
                break;
            case 2:
                packet.RefreshToken = new RefreshToken { Token = "w1" };
                break;
            case 3:
                packet.Sync = new Protocol.Sync { Inbox = new SyncInbox { AfterInboxSeq = random.Next(5) }, MaxEntries = random.Next(4) };
                break;
            case 4:
                packet.Sync = new Protocol.Sync { Conversation = new SyncConversation { ConversationId = "d:2:w0:w1", BeforeConversationSeq = random.Next(9) } };
                break;
            case 5:
                packet.DeviceAck = new DeviceAck { InboxSeq = random.Next(9) };
                break;
            case 6:
                packet.MarkRead = new MarkRead { ConversationId = "d:2:w0:w1", ConversationSeq = random.Next(9) };
                break;
            default:
                packet.Send = new Send
                {
                    ClientMessageId = $"m{random.Next(100)}",
                    UserId = $"w{random.Next(Workers)}",
                    Content = new Content { ContentType = "text", Text = new string('ü', random.Next(200)) },
                    NonPersistent = random.Next(4) == 0,
                };
                break;
        }

        return packet;
    }

    private static byte[] Damage(Random random, List<byte> bytes)
    {
        switch (random.Next(6))
        {
            case 0:
                bytes[random.Next(bytes.Count)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[random.Next(Math.Min(bytes.Count, 16))] = (byte)random.Next(256);
                break;
            case 2:
                bytes.RemoveAt(random.Next(bytes.Count));
                break;
            case 3:
                bytes.InsertRange(random.Next(bytes.Count), bytes.Take(random.Next(1, bytes.Count)).ToArray());
                break;
            case 4:
                bytes.RemoveRange(bytes.Count - random.Next(1, bytes.Count), random.Next(1, 2));
                bytes.AddRange(Enumerable.Range(0, random.Next(20)).Select(_ => (byte)random.Next(256)));
                break;
            default:
                // None: packets that are only strange.
                break;
        }

        return [.. bytes];
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
