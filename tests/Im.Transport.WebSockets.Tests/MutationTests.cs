using System.Net.Sockets;
using System.Text;

namespace Im.Transport.WebSockets.Tests;

/// <summary>Valid streams of frames with bytes changed, cut and repeated, over sockets of a live server. IM_MUTATIONS sets how many.</summary>
public sealed class MutationTests
{
    private const int PerConnection = 8;

    [Fact]
    public async Task MutatedFramesBreakNothing()
    {
        var seed = Waiting.Seed();
        var count = int.TryParse(Environment.GetEnvironmentVariable("IM_MUTATIONS"), out var given) ? given : 20_000;
        await using var server = await LiveServer.StartAsync(options => options.CloseTimeout = TimeSpan.FromMilliseconds(100));
        server.Core.Configure = handler =>
        {
            handler.MaxPacketBytes = 1000;
            handler.OnPacket = static (self, packet) =>
            {
                self.Send(packet);
                return true;
            };
        };
        var left = count;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => RunAsync(new Random(seed + worker)))).WaitAsync(TimeSpan.FromMinutes(30));
        foreach (var handler in server.Core.All)
        {
            await handler.Disconnection;
        }

        using var healthy = await server.ConnectAsync();
        await healthy.SendTextAsync("still served");
        Assert.Equal("still served", await healthy.ReceiveTextAsync());

        async Task RunAsync(Random random)
        {
            while (Volatile.Read(ref left) > 0)
            {
                using var client = await RawClient.ConnectAsync(server, random.Next(2) == 0 ? LiveServer.Json : LiveServer.Protobuf);
                try
                {
                    for (var i = 0; i < PerConnection; i++)
                    {
                        await client.SendAsync(Mutate(random, Valid(random)));
                        Interlocked.Decrement(ref left);
                    }
                }
                catch (SocketException)
                {
                    // The server has closed it: the mutations before were bad enough.
                }
            }
        }
    }

    private static byte[] Valid(Random random)
    {
        using var stream = new MemoryStream();
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var payload = Encoding.UTF8.GetBytes(new string('ü', random.Next(100)));
            int[] first = [0x81, 0x82, 0x81, 0x82, 0x01, 0x80, 0x89, 0x8A];
            stream.Write(RawClient.Frame(first[random.Next(first.Length)], payload));
        }

        return stream.ToArray();
    }

    private static byte[] Mutate(Random random, byte[] valid)
    {
        var bytes = valid.ToList();
        switch (random.Next(5))
        {
            case 0:
                bytes[random.Next(bytes.Count)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes[random.Next(Math.Min(bytes.Count, 14))] = (byte)random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(random.Next(bytes.Count), 1);
                break;
            case 3:
                bytes.InsertRange(random.Next(bytes.Count), bytes.Take(random.Next(1, bytes.Count)).ToArray());
                break;
            default:
                bytes = bytes[..random.Next(1, bytes.Count)];
                bytes.AddRange(Enumerable.Range(0, random.Next(20)).Select(_ => (byte)random.Next(256)));
                break;
        }

        return [.. bytes];
    }
}
