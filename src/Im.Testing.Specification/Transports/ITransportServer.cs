using Im.Connections;

namespace Im.Testing.Specification;

/// <summary>A transport that was started with the acceptor of a suite, and a way to connect to it.</summary>
/// <remarks>Its disposal stops the transport, if the suite has not done that, and whatever else it started.</remarks>
public interface ITransportServer : IAsyncDisposable
{
    /// <summary>The transport.</summary>
    IImTransport Transport { get; }

    /// <summary>Whether a close code reaches the client through the transport itself, as a WebSocket's does.</summary>
    bool HasCloseCodes { get; }

    /// <summary>How many buffers the transport's connections hold now; null = it cannot tell, and the facts about it are skipped.</summary>
    int? RentedBuffers { get; }

    /// <summary>Connects a client. Throws where the transport accepts no more.</summary>
    /// <param name="smallBuffers">Whether the client's receive buffer is small, for one that does not read.</param>
    Task<ITransportClient> ConnectAsync(bool smallBuffers);
}
