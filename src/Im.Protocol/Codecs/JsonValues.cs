using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Im.Protocol.Codecs;

/// <summary>Reads single JSON values without exceptions for what a client can write.</summary>
internal static class JsonValues
{
    // Up to this length a decimal holds each digit, so that rounding cannot make an integer of something else.
    private const int MaxNumberBytes = 28;
    private const int MaxIntegerTextBytes = 20;
    private const int MaxEscapedIntegerBytes = 6 * MaxIntegerTextBytes;
    private const int MaxEscapedEnumBytes = 384;

    /// <summary>The string with its escapes resolved; false for half a surrogate pair and for invalid UTF-8.</summary>
    public static bool TryCopyString(ref Utf8JsonReader reader, scoped Span<byte> destination, out int length)
    {
        try
        {
            length = reader.CopyString(destination);
            return true;
        }
        catch (InvalidOperationException)
        {
            length = 0;
            return false;
        }
    }

    public static bool TryWriteString(ref Utf8JsonReader reader, WireBuffer output)
    {
        var raw = reader.ValueSpan;
        if (!reader.ValueIsEscaped)
        {
            output.WriteBytes(raw);
            return Utf8.IsValid(raw);
        }

        var start = output.BeginLength();
        if (!TryCopyString(ref reader, output.GetSpan(raw.Length), out var length))
        {
            return false;
        }

        output.Advance(length);
        output.EndLength(start);
        return true;
    }

    /// <summary>Base64 in the standard or the URL alphabet, padded or not; decoded in place.</summary>
    public static bool TryWriteBase64(ref Utf8JsonReader reader, WireBuffer output)
    {
        const int maxPadding = 3;
        var start = output.BeginLength();
        var span = output.GetSpan(reader.ValueSpan.Length + maxPadding);
        if (!TryCopyString(ref reader, span, out var length))
        {
            return false;
        }

        if (length % 4 == 0)
        {
            length -= span[..length].EndsWith("=="u8) ? 2 : span[..length].EndsWith("="u8) ? 1 : 0;
        }

        foreach (ref var next in span[..length])
        {
            switch (next)
            {
                case (byte)'-':
                    next = (byte)'+';
                    break;
                case (byte)'_':
                    next = (byte)'/';
                    break;
                case <= (byte)' ' or (byte)'=':
                    return false;
            }
        }

        while (length % 4 != 0)
        {
            span[length++] = (byte)'=';
        }

        if (Base64.DecodeFromUtf8InPlace(span[..length], out var written) != OperationStatus.Done)
        {
            return false;
        }

        output.Advance(written);
        output.EndLength(start);
        return true;
    }

    public static bool TryGetEnum(ref Utf8JsonReader reader, EnumSchema schema, out int number)
    {
        number = 0;
        if (!reader.ValueIsEscaped)
        {
            return schema.TryGetNumber(reader.ValueSpan, out number);
        }

        Span<byte> name = stackalloc byte[MaxEscapedEnumBytes];
        return reader.ValueSpan.Length <= name.Length && TryCopyString(ref reader, name, out var length)
            && schema.TryGetNumber(name[..length], out number);
    }

    /// <summary>An integer of 64 bits from a number (5, 5.0, 5e0) or from a string of digits.</summary>
    public static bool TryGetInteger(ref Utf8JsonReader reader, out long value)
    {
        value = 0;
        return reader.TokenType switch
        {
            JsonTokenType.Number => reader.TryGetInt64(out value) || TryGetWhole(ref reader, out value),
            JsonTokenType.String => TryParse(ref reader, out value),
            _ => false,
        };
    }

    private static bool TryGetWhole(ref Utf8JsonReader reader, out long value)
    {
        value = 0;
        var text = reader.ValueSpan;
        if (text.Length > MaxNumberBytes || !reader.TryGetDecimal(out var number)
            || number != decimal.Truncate(number) || number < long.MinValue || number > long.MaxValue)
        {
            return false;
        }

        // 1e-99 becomes 0 and is none.
        var exponent = text.IndexOfAny((byte)'e', (byte)'E');
        if (number == 0 && text[..(exponent < 0 ? text.Length : exponent)].ContainsAnyInRange((byte)'1', (byte)'9'))
        {
            return false;
        }

        value = (long)number;
        return true;
    }

    private static bool TryParse(ref Utf8JsonReader reader, out long value)
    {
        value = 0;
        Span<byte> unescaped = stackalloc byte[MaxEscapedIntegerBytes];
        if (reader.ValueSpan.Length > unescaped.Length || !TryCopyString(ref reader, unescaped, out var length)
            || length is 0 or > MaxIntegerTextBytes)
        {
            return false;
        }

        ReadOnlySpan<byte> text = unescaped[..length];

        // As in a JSON number: no plus sign, no leading zeros.
        var digits = text[0] == (byte)'-' ? text[1..] : text;
        return digits.Length > 0 && !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9') && (digits[0] != (byte)'0' || digits.Length == 1)
            && Utf8Parser.TryParse(text, out value, out var consumed) && consumed == text.Length;
    }
}
