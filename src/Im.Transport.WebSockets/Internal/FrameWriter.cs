using Im.Connections;

namespace Im.Transport.WebSockets.Internal;

/// <summary>Gathers packets as frames for one write. Used by one connection's writer at a time, and pooled between writes.</summary>
/// <remarks>
/// Short pieces are copied into pooled chunks, long shared ones are left where they are:
/// <code>
///  chunk  [hdr|packet|hdr|packet|hdr|own bytes]      [hdr|packet …
///  segments └────────────── 1 ──────────────┘ └─ 2: shared ─┘ └─ 3 …
/// </code>
/// </remarks>
internal sealed class FrameWriter(BufferPool pool) : IPacketWriter
{
    // A segment of its own costs a call into the web server; below this a copy is cheaper.
    private const int LongSharedBytes = 16 * 1024;
    private const int FirstChunkBytes = 4 * 1024;
    private const int MaxChunkBytes = 64 * 1024;

    private readonly List<ReadOnlyMemory<byte>> _segments = [];
    private readonly List<byte[]> _chunks = [];
    private byte[] _chunk = [];
    private int _sealed;
    private int _position;
    private int _gatheredBytes;
    private int _packetRest;

    /// <summary>The opcode of a message of this connection.</summary>
    public int Opcode { get; set; }

    /// <summary>After how many bytes it is full.</summary>
    public int MaxBytes { get; set; }

    /// <inheritdoc/>
    public bool IsFull => _gatheredBytes >= MaxBytes;

    /// <inheritdoc/>
    public void BeginPacket(int packetBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(packetBytes);
        Span<byte> header = stackalloc byte[Frames.MaxHeaderBytes];
        var headerBytes = Frames.WriteHeader(header, Opcode, packetBytes);
        _packetRest = packetBytes + headerBytes;
        Write(header[..headerBytes]);
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        Count(bytes.Length);
        while (!bytes.IsEmpty)
        {
            if (_position == _chunk.Length)
            {
                AddChunk();
            }

            var fitting = bytes[..Math.Min(bytes.Length, _chunk.Length - _position)];
            fitting.CopyTo(_chunk.AsSpan(_position));
            _position += fitting.Length;
            bytes = bytes[fitting.Length..];
        }
    }

    /// <inheritdoc/>
    public void WriteShared(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length < LongSharedBytes)
        {
            Write(bytes.Span);
            return;
        }

        Count(bytes.Length);
        Seal();
        _segments.Add(bytes);
    }

    /// <inheritdoc/>
    public void EndPacket()
    {
        if (_packetRest != 0)
        {
            throw new InvalidOperationException($"The packet is {_packetRest} bytes shorter than announced.");
        }
    }

    /// <summary>What was gathered, in order; valid until <see cref="Reset"/>.</summary>
    public List<ReadOnlyMemory<byte>> Finish()
    {
        Seal();
        return _segments;
    }

    /// <summary>Forgets what was gathered and gives the chunks back.</summary>
    public void Reset()
    {
        _chunks.ForEach(pool.Return);
        _chunks.Clear();
        _segments.Clear();
        _chunk = [];
        _sealed = _position = _gatheredBytes = _packetRest = 0;
    }

    private void Count(int bytes)
    {
        if (bytes > _packetRest)
        {
            throw new InvalidOperationException($"The packet is {bytes - _packetRest} bytes longer than announced.");
        }

        _packetRest -= bytes;
        _gatheredBytes += bytes;
    }

    private void Seal()
    {
        if (_position > _sealed)
        {
            _segments.Add(_chunk.AsMemory(_sealed, _position - _sealed));
            _sealed = _position;
        }
    }

    private void AddChunk()
    {
        Seal();
        _chunk = pool.Rent(Math.Clamp(2 * _chunk.Length, FirstChunkBytes, MaxChunkBytes));
        _chunks.Add(_chunk);
        _sealed = _position = 0;
    }
}
