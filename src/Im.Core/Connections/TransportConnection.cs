using System.Security.Claims;
using Im.Protocol;

namespace Im.Connections;

/// <summary>A transport's end of one connection: what the core calls. All methods may be called from any thread, at any time, and return at once.</summary>
public abstract class TransportConnection
{
    /// <summary>The transport's name, for example <c>tcp</c>.</summary>
    public abstract string Transport { get; }

    /// <summary>How packets are written on this connection.</summary>
    public abstract ImCodec Codec { get; }

    /// <summary>The client's address without its port, the key of the limit per address; empty where there is none.</summary>
    public abstract string RemoteAddress { get; }

    /// <summary>Who the host's own authentication says this is; null where the sign-in packet's token decides.</summary>
    public virtual ClaimsPrincipal? User => null;

    /// <summary>
    /// Something is queued: call <see cref="IConnectionHandler.WriteTo"/> soon, on a thread of the transport's choosing, never inside this call.
    /// A call while a writer is at work is not lost: that writer looks again before it ends. Nothing happens after the end of the connection.
    /// </summary>
    public abstract void RequestWrite();

    /// <summary>Reading may go on after <see cref="IConnectionHandler.Receive"/> has returned false.</summary>
    public abstract void ResumeReading();

    /// <summary>
    /// Ends the connection: read no more, write what is queued (its last packet is the Close packet) for at most a short time, then close with
    /// this code where the transport has codes. The first call counts.
    /// </summary>
    public abstract void Close(ImCloseCode code, string reason);
}
