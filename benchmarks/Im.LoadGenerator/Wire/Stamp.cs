using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Im.LoadGenerator.Wire;

/// <summary>The last 16 bytes of each text: 8 hex digits for this run of the generator, 8 for the message's number.</summary>
internal static class Stamp
{
    public const int Bytes = 16;

    private static readonly ulong OwnRun;

    static Stamp()
    {
        // Not from the seed: a second run against the same store must not repeat the first one's message ids.
        RunText = Random.Shared.Next(1, int.MaxValue).ToString("x8", CultureInfo.InvariantCulture);
        OwnRun = MemoryMarshal.Read<ulong>(Encoding.ASCII.GetBytes(RunText));
    }

    /// <summary>This run, as it stands in stamps and message ids.</summary>
    public static string RunText { get; }

    public static bool IsRun(ulong run) => run == OwnRun;

    /// <summary>A number's 8 digits, as they lie in memory.</summary>
    public static ulong ToDigits(int number)
    {
        Span<byte> digits = stackalloc byte[8];
        for (var i = 7; i >= 0; i--)
        {
            digits[i] = "0123456789abcdef"u8[number & 15];
            number >>= 4;
        }

        return MemoryMarshal.Read<ulong>(digits);
    }

    /// <summary>The number, or -1.</summary>
    public static int ToNumber(ulong digits)
    {
        ReadOnlySpan<byte> text = MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in digits));
        return int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : -1;
    }
}
