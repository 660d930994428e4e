using Im.Protocol;

namespace Im.IntegrationTests.Support;

/// <summary>The ways in which a client speaks to the server.</summary>
public enum Wire
{
    /// <summary>Protobuf over TCP.</summary>
    Tcp,

    /// <summary>Protobuf over a WebSocket.</summary>
    WebSocket,

    /// <summary>JSON over a WebSocket.</summary>
    Json,
}

/// <summary>Connects over any wire.</summary>
internal static class Wires
{
    public static ImCodec CodecOf(Wire wire) => wire == Wire.Json ? ImCodec.Json : ImCodec.Protobuf;

    /// <summary>Connects; a receive buffer of 0 is the system's.</summary>
    public static async Task<IWireClient> ConnectAsync(this TestServer server, Wire wire, int receiveBufferBytes = 0) => wire == Wire.Tcp
        ? await WireClient.ConnectAsync(server.TcpEndpoint, receiveBufferBytes)
        : await WebSocketWireClient.ConnectAsync(server.WebSocketUri, CodecOf(wire), receiveBufferBytes);

    /// <summary>Connects and signs in.</summary>
    public static async Task<IWireClient> SignInAsync(this TestServer server, Wire wire, string user, string device = "d1", int receiveBufferBytes = 0)
    {
        var client = await server.ConnectAsync(wire, receiveBufferBytes);
        var answer = await client.AskAsync(new ClientPacket { SignIn = new SignIn { Token = user, DeviceId = device } });
        return answer.SignedIn is not null ? client : throw new InvalidOperationException($"Sign-in of {user} was answered with {answer}.");
    }
}
