using Microsoft.Extensions.Logging;

namespace Im.Transport.Tcp.Internal;

/// <summary>What all connections of the transport share.</summary>
internal sealed record TcpConnectionContext(
    TcpTransportOptions Options, CountedBufferPool Buffers, PacketBatchPool Batches, TimeProvider Time, ILogger Logger)
{
    private static readonly TimeSpan MaxLinger = TimeSpan.FromSeconds(1);

    /// <summary>How long after the last packet a client may take to close its side. Then closing is the kernel's work.</summary>
    public TimeSpan LingerTimeout => Options.CloseTimeout < MaxLinger ? Options.CloseTimeout : MaxLinger;
}
