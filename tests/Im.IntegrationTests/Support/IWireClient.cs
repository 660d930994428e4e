using Im.Protocol;

namespace Im.IntegrationTests.Support;

/// <summary>A bare client of one wire: writes packets, reads packets, knows nothing. Every wait ends after <see cref="WireClient.Patience"/>.</summary>
internal interface IWireClient : IAsyncDisposable
{
    /// <summary>The code of the WebSocket close frame; null on TCP, which has only the Close packet, and before the end.</summary>
    int? CloseFrameCode { get; }

    /// <summary>Writes a packet, under a fresh request id unless it has one, and returns the id.</summary>
    Task<uint> WriteAsync(ClientPacket packet);

    /// <summary>Writes the bytes of one packet, framed as the wire does.</summary>
    Task WritePacketAsync(byte[] packet);

    /// <summary>Writes bytes to the socket as they are.</summary>
    Task WriteBytesAsync(byte[] bytes);

    /// <summary>The bytes of one framed packet.</summary>
    byte[] ToFrame(byte[] packet);

    /// <summary>The next packet, or null if the server has closed.</summary>
    Task<ServerPacket?> TryReadAsync();

    /// <summary>Ends the connection at once, without a goodbye.</summary>
    void Reset();
}
