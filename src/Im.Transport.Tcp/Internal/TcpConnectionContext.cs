using Microsoft.Extensions.Logging;

namespace Im.Transport.Tcp.Internal;

/// <summary>What all connections of the transport share.</summary>
internal sealed record TcpConnectionContext(
    TcpTransportOptions Options, CountedBufferPool Buffers, PacketBatchPool Batches, TimeProvider Time, ILogger Logger);
