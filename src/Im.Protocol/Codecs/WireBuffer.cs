using System.Buffers;

namespace Im.Protocol.Codecs;

/// <summary>A growing scratch buffer from the shared pool. Owned by one call; the empty object is kept per thread.</summary>
internal sealed class WireBuffer : IBufferWriter<byte>, IDisposable
{
    private const int MinBytes = 256;

    [ThreadStatic]
    private static WireBuffer? _kept;

    private byte[] _array = [];

    private WireBuffer()
    {
    }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _array.AsSpan(0, Length);

    public static WireBuffer Rent()
    {
        var buffer = _kept ?? new WireBuffer();
        _kept = null;
        return buffer;
    }

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _array.AsSpan(Length);
    }

    public void WriteVarint(ulong value)
    {
        var span = GetSpan(10);
        var count = 0;
        while (value >= 0x80)
        {
            span[count++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[count++] = (byte)value;
        Length += count;
    }

    public void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        WriteVarint((ulong)bytes.Length);
        bytes.CopyTo(GetSpan(bytes.Length));
        Length += bytes.Length;
    }

    /// <summary>Begins something whose length stands in front of it and is not known yet.</summary>
    public int BeginLength()
    {
        Reserve(1);
        return ++Length;
    }

    /// <summary>Writes the length in front of what came since <see cref="BeginLength"/>; moves it when one byte is too few.</summary>
    public void EndLength(int start)
    {
        var length = Length - start;
        var prefix = PacketFraming.PrefixBytes(length);
        Reserve(prefix);
        if (prefix > 1)
        {
            _array.AsSpan(start, length).CopyTo(_array.AsSpan(start + prefix - 1));
            Length += prefix - 1;
        }

        PacketFraming.WritePrefix(_array.AsSpan(start - 1), length);
    }

    public void Dispose()
    {
        if (_array.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_array);
            _array = [];
        }

        Length = 0;
        _kept = this;
    }

    private void Reserve(int count)
    {
        count = Math.Max(count, 1);
        if (_array.Length - Length >= count)
        {
            return;
        }

        var doubled = (int)Math.Min(2L * Length, Array.MaxLength);
        var grown = ArrayPool<byte>.Shared.Rent(Math.Max(MinBytes, Math.Max(checked(Length + count), doubled)));
        Written.CopyTo(grown);
        if (_array.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_array);
        }

        _array = grown;
    }
}
