namespace Im.Connections;

/// <summary>Where the core writes packets for one socket write; made by the transport, which adds its own framing.</summary>
/// <remarks>
/// A packet is a few bytes of the connection's own and segments that many connections share, in any order, together exactly as long as
/// announced. Used by one thread at a time.
/// </remarks>
public interface IPacketWriter
{
    /// <summary>Enough is gathered for one socket write; the packet that has begun may still be finished.</summary>
    bool IsFull { get; }

    /// <summary>Begins a packet of exactly <paramref name="packetBytes"/> bytes.</summary>
    void BeginPacket(int packetBytes);

    /// <summary>Adds bytes of the connection's own by copying them.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Adds shared bytes that never change. Short ones may be copied; long ones are to be sent from where they are.</summary>
    void WriteShared(ReadOnlyMemory<byte> bytes);

    /// <summary>Ends the packet.</summary>
    void EndPacket();
}
