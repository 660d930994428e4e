using System.Net.Sockets;
using System.Runtime.InteropServices;
using Im.Connections;
using Im.Protocol;

namespace Im.Transport.Tcp.Internal;

/// <summary>Gathers packets for one socket write: own and short bytes in rented scratch arrays, long shared bytes by reference.</summary>
/// <remarks>
/// <code>
///   scratch   [prefix header .. prefix header ..]        4 KiB, then 16 KiB, 64 KiB … when one is full
///               |             |
///   segments  [ own ][ shared ][ own ][ shared ]         sent in this order
/// </code>
/// Owned by the one writer that rented it from <see cref="PacketBatchPool"/>.
/// </remarks>
internal sealed class PacketBatch(CountedBufferPool pool, int maxWriteBytes) : IPacketWriter, IDisposable
{
    /// <summary>Up to this size copying is cheaper than one more segment.</summary>
    public const int MaxCopiedBytes = 1024;

    private const int FirstScratchBytes = 4096;
    private const int MaxScratchBytes = 64 * 1024;

    private readonly SocketSender _sender = new();
    private readonly List<ArraySegment<byte>> _segments = new(SocketSender.MaxSegments);
    private readonly List<ArraySegment<byte>> _window = new(SocketSender.MaxSegments);
    private readonly List<byte[]> _rented = [];
    private int _openStart;
    private int _openEnd;
    private int _gathered;
    private int _packetLeft;

    public bool IsEmpty => _gathered == 0;

    // A packet usually adds two segments: its own bytes and the shared ones.
    public bool IsFull => _gathered >= maxWriteBytes || _segments.Count > SocketSender.MaxSegments - 2;

    public void BeginPacket(int packetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(packetBytes);
        if (_packetLeft != 0)
        {
            throw new InvalidOperationException("The packet before has not ended.");
        }

        Span<byte> prefix = stackalloc byte[PacketFraming.MaxPrefixBytes];
        Copy(prefix[..PacketFraming.WritePrefix(prefix, packetBytes)]);
        _packetLeft = packetBytes;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Count(bytes.Length);
        Copy(bytes);
    }

    public void WriteShared(ReadOnlyMemory<byte> bytes)
    {
        Count(bytes.Length);
        if (bytes.Length <= MaxCopiedBytes || !MemoryMarshal.TryGetArray(bytes, out var segment))
        {
            Copy(bytes.Span);
            return;
        }

        SealScratch();
        _segments.Add(segment);
        _gathered += segment.Count;
    }

    public void EndPacket()
    {
        if (_packetLeft != 0)
        {
            throw new InvalidOperationException($"The packet is {_packetLeft} bytes shorter than announced.");
        }
    }

    /// <summary>Sends everything; the batch is empty afterwards.</summary>
    public async ValueTask SendAsync(SocketChannel channel)
    {
        EndPacket();
        SealScratch();
        var (index, offset) = (0, 0);
        while (index < _segments.Count)
        {
            FillWindow(index, offset);
            var sent = await channel.SendAsync(_sender, _window);
            for (offset += sent; index < _segments.Count && offset >= _segments[index].Count; index++)
            {
                offset -= _segments[index].Count;
            }
        }

        Clear();
    }

    /// <summary>Forgets what was gathered and returns all scratch.</summary>
    public void Clear()
    {
        _sender.Clear();
        _segments.Clear();
        _window.Clear();
        foreach (var scratch in _rented)
        {
            pool.Return(scratch);
        }

        _rented.Clear();
        _openStart = _openEnd = _gathered = _packetLeft = 0;
    }

    public void Dispose() => _sender.Dispose();

    private void FillWindow(int index, int offset)
    {
        _window.Clear();
        _window.Add(_segments[index][offset..]);
        for (index++; index < _segments.Count && _window.Count < SocketSender.MaxSegments; index++)
        {
            _window.Add(_segments[index]);
        }
    }

    private void Count(int bytes)
    {
        if (bytes > _packetLeft)
        {
            throw new InvalidOperationException($"The packet is at least {bytes - _packetLeft} bytes longer than announced.");
        }

        _packetLeft -= bytes;
    }

    private void Copy(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var free = _rented.Count == 0 ? 0 : _rented[^1].Length - _openEnd;
            if (free == 0)
            {
                SealScratch();
                _rented.Add(pool.Rent(_rented.Count == 0 ? FirstScratchBytes : Math.Min(MaxScratchBytes, _rented[^1].Length * 4)));
                _openStart = _openEnd = 0;
                continue;
            }

            var part = bytes[..Math.Min(free, bytes.Length)];
            part.CopyTo(_rented[^1].AsSpan(_openEnd));
            bytes = bytes[part.Length..];
            _openEnd += part.Length;
            _gathered += part.Length;
        }
    }

    private void SealScratch()
    {
        if (_openEnd > _openStart)
        {
            _segments.Add(new ArraySegment<byte>(_rented[^1], _openStart, _openEnd - _openStart));
            _openStart = _openEnd;
        }
    }
}
