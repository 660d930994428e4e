namespace Im.Sample.Chat.Pictures;

/// <summary>Says what a picture is by its first bytes; what a browser claims about a file is not believed.</summary>
internal static class PictureType
{
    /// <summary>How many bytes <see cref="Sniff"/> wants to see.</summary>
    public const int HeadBytes = 16;

    /// <summary>The content type, or null for what is no PNG, JPEG, GIF or WebP.</summary>
    public static string? Sniff(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        {
            return "image/png";
        }

        if (head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
        {
            return "image/jpeg";
        }

        if (head.StartsWith("GIF87a"u8) || head.StartsWith("GIF89a"u8))
        {
            return "image/gif";
        }

        return head.Length >= 12 && head.StartsWith("RIFF"u8) && head[8..].StartsWith("WEBP"u8) ? "image/webp" : null;
    }

    public static string Extension(string contentType) => contentType switch
    {
        "image/jpeg" => ".jpg",
        _ => "." + contentType["image/".Length..],
    };
}
