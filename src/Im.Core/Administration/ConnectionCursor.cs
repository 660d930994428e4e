using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Im.Administration;

/// <summary>Where a page of connections ends: after a number on a node. Opaque to callers.</summary>
internal readonly record struct ConnectionCursor(string Node, long After)
{
    public static ConnectionCursor Start => new("", 0);

    public static ConnectionCursor Parse(string? text)
    {
        if (text is null)
        {
            return Start;
        }

        try
        {
            var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('\n');
            return parts.Length == 2 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var after)
                ? new ConnectionCursor(parts[0], after)
                : throw new FormatException();
        }
        catch (FormatException)
        {
            throw new ArgumentException("After must be what a page gave as its next one; leave it out to begin with the first page.", nameof(text));
        }
    }

    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Node}\n{After}")));
}
