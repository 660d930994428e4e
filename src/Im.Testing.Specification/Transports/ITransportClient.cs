namespace Im.Testing.Specification;

/// <summary>The client's end of one connection, down to the bytes. Its disposal leaves nothing open.</summary>
public interface ITransportClient : IAsyncDisposable
{
    /// <summary>The code that the server closed the connection with, once <see cref="ReceiveAsync"/> has answered null; null where there are none.</summary>
    int? CloseCode { get; }

    /// <summary>What a client sends for one packet, framing included.</summary>
    byte[] Frame(ReadOnlySpan<byte> packet);

    /// <summary>Sends bytes as they are: whole frames, or pieces of them.</summary>
    Task SendBytesAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>The next packet; null at the end of the connection.</summary>
    Task<byte[]?> ReceiveAsync();

    /// <summary>Says goodbye as a client does that is done: it sends no more.</summary>
    Task LeaveAsync();

    /// <summary>The network is gone, without a word.</summary>
    void Cut();
}
