namespace Im.Storage;

/// <summary>Compares ids as databases do: by their UTF-8 bytes, which is the order of code points.</summary>
internal sealed class Utf8Order : IComparer<string>
{
    public static Utf8Order Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        var common = x.AsSpan().CommonPrefixLength(y);
        if (x is null || y is null || common == x.Length || common == y.Length)
        {
            return (x?.Length ?? -1).CompareTo(y?.Length ?? -1);
        }

        return Weigh(x[common]).CompareTo(Weigh(y[common]));
    }

    // Surrogates stand for code points above all others.
    private static int Weigh(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
