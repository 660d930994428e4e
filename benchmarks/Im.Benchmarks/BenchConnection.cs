using System.Buffers;
using Google.Protobuf;
using Im.Connections;
using Im.Protocol;

namespace Im.Benchmarks;

/// <summary>A connection without a socket: its writes are counted and thrown away when the benchmark says so.</summary>
internal sealed class BenchConnection(ImCodec codec) : TransportConnection
{
    public override string Transport => "bench";

    public override ImCodec Codec => codec;

    public override string RemoteAddress => "";

    public IConnectionHandler? Handler { get; set; }

    public override void RequestWrite()
    {
    }

    public override void ResumeReading()
    {
    }

    public override void Close(ImCloseCode code, string reason) =>
        throw new InvalidOperationException($"The benchmark's connection was closed: {code} {reason}");

    public void Receive(ClientPacket packet) => Handler!.Receive(new ReadOnlySequence<byte>(PacketCodec.Write(packet, codec)));

    /// <summary>Writes what is queued and returns its size.</summary>
    public long Drain(CountingWriter writer)
    {
        var before = writer.Bytes;
        while (Handler!.WriteTo(writer))
        {
        }

        return writer.Bytes - before;
    }
}

/// <summary>Counts bytes.</summary>
internal sealed class CountingWriter : IPacketWriter
{
    public long Bytes { get; private set; }

    public bool IsFull => false;

    public void BeginPacket(int packetBytes)
    {
    }

    public void Write(ReadOnlySpan<byte> bytes) => Bytes += bytes.Length;

    public void WriteShared(ReadOnlyMemory<byte> bytes) => Bytes += bytes.Length;

    public void EndPacket()
    {
    }
}
