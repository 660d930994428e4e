using System.Buffers;

namespace Im.Transport.Tcp.Internal;

/// <summary>What was received and is no whole packet yet: nothing, or one rented array that grows as bytes arrive.</summary>
/// <remarks>
/// <code>
///   [ taken | unread bytes | free space ]
///           ^_start        ^_end
/// </code>
/// A length prefix alone allocates nothing: the array doubles when it is full, so it is never larger than about twice what a
/// client really sent.
/// Owned by the receive loop.
/// </remarks>
internal struct ReceiveBuffer(CountedBufferPool pool)
{
    /// <summary>What the first bytes of a packet cost.</summary>
    public const int InitialBytes = 4096;

    private byte[]? _array;
    private int _start;
    private int _end;

    public readonly bool IsEmpty => _start == _end;

    /// <summary>The unread bytes.</summary>
    public readonly ReadOnlySequence<byte> Unread => _array is null ? default : new ReadOnlySequence<byte>(_array, _start, _end - _start);

    /// <summary>Free space to receive into; rents, moves or grows the array where needed.</summary>
    public Memory<byte> GetSpace()
    {
        var unread = _end - _start;
        if (_array is null)
        {
            _array = pool.Rent(InitialBytes);
        }
        else if (_end == _array.Length && _start > 0)
        {
            _array.AsSpan(_start, unread).CopyTo(_array);
            (_start, _end) = (0, unread);
        }
        else if (_end == _array.Length)
        {
            MoveTo(pool.Rent(_array.Length * 2));
        }

        return _array.AsMemory(_end);
    }

    /// <summary>So many bytes were received into the space.</summary>
    public void Received(int bytes) => _end += bytes;

    /// <summary>All but the last <paramref name="unread"/> bytes were taken.</summary>
    public void TakenUntil(long unread) => _start = _end - (int)unread;

    /// <summary>Gives back what is not needed: all of it when nothing is unread, most of it when little is left of a large array.</summary>
    public void Trim()
    {
        if (_array is null)
        {
            return;
        }

        if (IsEmpty)
        {
            Release();
        }
        else if (_array.Length > InitialBytes && _end - _start <= InitialBytes / 2 && _start > 0)
        {
            MoveTo(pool.Rent(InitialBytes));
        }
    }

    /// <summary>Forgets everything and returns the array.</summary>
    public void Release()
    {
        if (_array is { } array)
        {
            _array = null;
            pool.Return(array);
        }

        _start = _end = 0;
    }

    private void MoveTo(byte[] array)
    {
        var unread = _end - _start;
        _array.AsSpan(_start, unread).CopyTo(array);
        pool.Return(_array!);
        (_array, _start, _end) = (array, 0, unread);
    }
}
