using Im.Protocol;

namespace Im.IntegrationTests.Support;

/// <summary>What tests do with a client of any wire.</summary>
internal static class WireClientExtensions
{
    /// <summary>The next packet; <see cref="EndOfStreamException"/> if the server has closed.</summary>
    public static async Task<ServerPacket> ReadNextAsync(this IWireClient client) =>
        await client.TryReadAsync() ?? throw new EndOfStreamException("The server closed the connection.");

    /// <summary>Writes a request and reads its reply, passing over what else comes.</summary>
    public static async Task<ServerPacket> AskAsync(this IWireClient client, ClientPacket packet) =>
        await client.ReadReplyAsync(await client.WriteAsync(packet));

    /// <summary>The reply to a request, passing over what else comes.</summary>
    public static async Task<ServerPacket> ReadReplyAsync(this IWireClient client, uint requestId)
    {
        while (true)
        {
            var answer = await client.ReadNextAsync();
            if (answer.RequestId == requestId)
            {
                return answer;
            }
        }
    }

    /// <summary>The reply to a request, which must be this error.</summary>
    public static async Task<Error> AskForErrorAsync(this IWireClient client, ClientPacket packet, ImErrorCode code)
    {
        var answer = await client.AskAsync(packet);
        Assert.True(answer.PacketCase == ServerPacket.PacketOneofCase.Error, $"Expected {code}, got {answer}");
        Assert.Equal(code, (ImErrorCode)answer.Error.Code);
        Assert.Equal(ImErrorCodes.GetName(code), answer.Error.Reason);
        Assert.NotEmpty(answer.Error.Message);
        return answer.Error;
    }

    /// <summary>The first packet of a kind, passing over others.</summary>
    public static async Task<ServerPacket> WaitForAsync(this IWireClient client, ServerPacket.PacketOneofCase kind)
    {
        while (true)
        {
            var packet = await client.ReadNextAsync();
            if (packet.PacketCase == kind)
            {
                return packet;
            }
        }
    }

    /// <summary>The connection answers.</summary>
    public static async Task PingAsync(this IWireClient client) =>
        Assert.Equal(ServerPacket.PacketOneofCase.Pong, (await client.AskAsync(new ClientPacket { Ping = new Ping() })).PacketCase);

    /// <summary>
    /// The server ends the connection with this code: a Close packet as the last one, the same code in a WebSocket's close frame. Returns what came
    /// before it, and the Close packet.
    /// </summary>
    public static async Task<(List<ServerPacket> Before, Close Close)> ReadToCloseAsync(this IWireClient client, ImCloseCode code)
    {
        var packets = new List<ServerPacket>();
        while (await client.TryReadAsync() is { } packet)
        {
            packets.Add(packet);
        }

        Assert.True(packets.Count > 0 && packets[^1].Close is not null, $"No Close packet came last: {string.Join("; ", packets)}");
        var close = packets[^1].Close;
        Assert.Equal(code, (ImCloseCode)close.Code);
        Assert.NotEmpty(close.Reason);
        if (client is WebSocketWireClient)
        {
            Assert.Equal((int)code, client.CloseFrameCode);
        }

        packets.RemoveAt(packets.Count - 1);
        return (packets, close);
    }
}
