using System.Buffers;
using Im.Protocol;

namespace Im.Connections;

/// <summary>The core's end of one connection: what a transport calls.</summary>
/// <remarks>
/// <code>
///  socket ──bytes──▶ transport ──Receive(packet)──▶ core          reading: one caller at a time
///  socket ◀──bytes── transport ◀──WriteTo(writer)── core          writing: one caller at a time, beside the reading
///                    transport ◀──RequestWrite / ResumeReading / Close── core     from any thread
/// </code>
/// There is no pipe between the two: received bytes are valid during the call, and what is to be sent is asked for when the socket can
/// take it.
/// </remarks>
public interface IConnectionHandler
{
    /// <summary>The largest packet accepted now, in bytes: a smaller limit before sign-in. Check it before buffering a packet.</summary>
    int MaxPacketBytes { get; }

    /// <summary>
    /// Takes one whole packet; the bytes are used only during the call. False: stop reading until
    /// <see cref="TransportConnection.ResumeReading"/>, which may be called before this call has returned.
    /// </summary>
    bool Receive(in ReadOnlySequence<byte> packet);

    /// <summary>
    /// The transport cannot make packets out of what it received (a length over the limit, text where binary belongs …). The core answers with
    /// <see cref="TransportConnection.Close"/>. Read no more after it.
    /// </summary>
    void ReceiveFailed(ImCloseCode code, string reason);

    /// <summary>
    /// Writes queued packets into <paramref name="writer"/> until it is full or nothing is queued. True: there is more; call again when the
    /// socket can take more. False: nothing is queued; the next <see cref="TransportConnection.RequestWrite"/> says when to come back.
    /// </summary>
    bool WriteTo(IPacketWriter writer);

    /// <summary>The connection is gone; no other call follows or runs. Called exactly once, also after a close by the core.</summary>
    void Disconnected(Exception? error);
}
