using System.Buffers;
using System.IO.Pipelines;
using Im.Connections;
using Im.Protocol;

namespace Im.Testing.Internal;

/// <summary>Writes packets with their lengths in front into a pipe.</summary>
internal sealed class MemoryPacketWriter(PipeWriter pipe) : IPacketWriter
{
    private const int FullBytes = 64 * 1024;

    private long _gathered;
    private int _missing = -1;

    public bool IsFull => _gathered >= FullBytes;

    /// <summary>Whether nothing was written since the last call.</summary>
    public bool TakeIsEmpty()
    {
        if (_missing != -1)
        {
            throw new InvalidOperationException("A packet was begun and not ended.");
        }

        var isEmpty = _gathered == 0;
        _gathered = 0;
        return isEmpty;
    }

    public void BeginPacket(int packetBytes)
    {
        if (_missing != -1)
        {
            throw new InvalidOperationException("The packet before is not ended.");
        }

        var prefix = PacketFraming.WritePrefix(pipe.GetSpan(PacketFraming.MaxPrefixBytes), packetBytes);
        pipe.Advance(prefix);
        _gathered += prefix;
        _missing = packetBytes;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        _missing -= bytes.Length;
        if (_missing < 0)
        {
            throw new InvalidOperationException("The packet is longer than announced.");
        }

        _gathered += bytes.Length;
        pipe.Write(bytes);
    }

    public void WriteShared(ReadOnlyMemory<byte> bytes) => Write(bytes.Span);

    public void EndPacket()
    {
        if (_missing != 0)
        {
            throw new InvalidOperationException("The packet is shorter than announced.");
        }

        _missing = -1;
    }
}
