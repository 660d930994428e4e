using System.Net.WebSockets;
using Im.Protocol;

namespace Im.Transport.WebSockets.Internal;

/// <summary>What a client can ask for in Sec-WebSocket-Protocol.</summary>
internal sealed record Subprotocol(string Name, ImCodec Codec, WebSocketMessageType MessageType)
{
    public static readonly Subprotocol Protobuf = new("im.v1.protobuf", ImCodec.Protobuf, WebSocketMessageType.Binary);

    public static readonly Subprotocol Json = new("im.v1.json", ImCodec.Json, WebSocketMessageType.Text);

    /// <summary>The first one that we know: a client lists what it prefers first.</summary>
    public static Subprotocol? Choose(IEnumerable<string> requested)
    {
        foreach (var name in requested)
        {
            if (name == Protobuf.Name)
            {
                return Protobuf;
            }

            if (name == Json.Name)
            {
                return Json;
            }
        }

        return null;
    }
}
