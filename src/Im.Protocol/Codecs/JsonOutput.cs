using System.Buffers;
using System.Buffers.Text;

namespace Im.Protocol.Codecs;

/// <summary>
/// Writes JSON tokens straight into the output; the caller keeps their order right and flushes at the end.
/// </summary>
/// <remarks>
/// Not Utf8JsonWriter: each of its encoders writes characters beyond the BMP, emoji among them, as twelve bytes of escapes. Here only
/// what JSON requires is escaped: quotes, backslashes and control characters.
/// </remarks>
internal ref struct JsonOutput(IBufferWriter<byte> output)
{
    private const int MaxEscapedBytes = 6;
    private const int MaxNumberBytes = 22;

    private static readonly SearchValues<byte> Escaped =
        SearchValues.Create([(byte)'"', (byte)'\\', .. Enumerable.Range(0, ' ').Select(control => (byte)control)]);

    private readonly IBufferWriter<byte> _output = output;
    private Span<byte> _span = default;
    private int _used = 0;

    // Whether the next name or element follows another one.
    private bool _comma = false;

    public void Open(byte bracket)
    {
        Separate();
        Append(bracket);
        _comma = false;
    }

    public void Close(byte bracket)
    {
        Append(bracket);
        _comma = true;
    }

    /// <summary>Writes a name that is already quoted and followed by its colon.</summary>
    public void Name(ReadOnlySpan<byte> quoted)
    {
        Separate();
        Append(quoted);
        _comma = false;
    }

    /// <summary>Writes a value as it is.</summary>
    public void Raw(ReadOnlySpan<byte> value)
    {
        Separate();
        Append(value);
    }

    public void Number(long value, bool quoted)
    {
        Separate();
        Reserve(MaxNumberBytes);
        if (quoted)
        {
            _span[_used++] = (byte)'"';
        }

        Utf8Formatter.TryFormat(value, _span[_used..], out var written);
        _used += written;
        if (quoted)
        {
            _span[_used++] = (byte)'"';
        }
    }

    public void String(ReadOnlySpan<byte> utf8)
    {
        Separate();
        Append((byte)'"');
        for (int plain; (plain = utf8.IndexOfAny(Escaped)) >= 0; utf8 = utf8[(plain + 1)..])
        {
            Append(utf8[..plain]);
            Escape(utf8[plain]);
        }

        Append(utf8);
        Append((byte)'"');
    }

    public void Base64String(ReadOnlySpan<byte> bytes)
    {
        Separate();
        Append((byte)'"');
        Reserve(Base64.GetMaxEncodedToUtf8Length(bytes.Length));
        Base64.EncodeToUtf8(bytes, _span[_used..], out _, out var written);
        _used += written;
        Append((byte)'"');
    }

    public void Flush()
    {
        _output.Advance(_used);
        _span = default;
        _used = 0;
    }

    private void Separate()
    {
        if (_comma)
        {
            Append((byte)',');
        }

        _comma = true;
    }

    private void Escape(byte value)
    {
        Reserve(MaxEscapedBytes);
        var letter = value switch
        {
            (byte)'"' => (byte)'"',
            (byte)'\\' => (byte)'\\',
            (byte)'\b' => (byte)'b',
            (byte)'\f' => (byte)'f',
            (byte)'\n' => (byte)'n',
            (byte)'\r' => (byte)'r',
            (byte)'\t' => (byte)'t',
            _ => (byte)'u',
        };
        _span[_used++] = (byte)'\\';
        _span[_used++] = letter;
        if (letter == (byte)'u')
        {
            "00"u8.CopyTo(_span[_used..]);
            Utf8Formatter.TryFormat(value, _span[(_used + 2)..], out var written, new StandardFormat('x', 2));
            _used += 2 + written;
        }
    }

    private void Append(byte value)
    {
        Reserve(1);
        _span[_used++] = value;
    }

    private void Append(ReadOnlySpan<byte> value)
    {
        Reserve(value.Length);
        value.CopyTo(_span[_used..]);
        _used += value.Length;
    }

    private void Reserve(int count)
    {
        if (_span.Length - _used < count)
        {
            Flush();
            _span = _output.GetSpan(count);
        }
    }
}
