using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Im.Model;

/// <summary>What a message says: a content type and text or data, as in <c>im.proto</c>.</summary>
/// <remarks>
/// The factories write what <c>docs/protocol.md</c> describes for each type: media carry a JSON object in <see cref="Text"/>. A type that the
/// library does not know passes through untouched.
/// </remarks>
public sealed record MessageContent
{
    /// <summary>Mentions everyone.</summary>
    public const string MentionEveryone = "*";

    /// <summary>For example <c>text</c>; 1–64 bytes.</summary>
    public required string ContentType { get; init; }

    /// <summary>The text, or a JSON object for media.</summary>
    public string Text { get; init; } = "";

    /// <summary>Bytes, for types that need them.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>The users who are mentioned; <see cref="MentionEveryone"/> = all.</summary>
    public ImmutableArray<string> Mentions { get; init; } = [];

    /// <summary>Plain text.</summary>
    public static MessageContent FromText(string text, params ImmutableArray<string> mentions) =>
        new() { ContentType = "text", Text = text, Mentions = mentions };

    /// <summary>A face (emoji, sticker) by the name that the host's clients know.</summary>
    public static MessageContent Face(string name) => new() { ContentType = "face", Text = name };

    /// <summary>A voice recording.</summary>
    public static MessageContent Voice(string url, TimeSpan duration) =>
        Media("voice", new JsonObject { ["url"] = url, ["durationMs"] = (long)duration.TotalMilliseconds });

    /// <summary>A picture; width and height in pixels, 0 = unknown.</summary>
    public static MessageContent Image(string url, int width = 0, int height = 0) =>
        Media("image", new JsonObject { ["url"] = url, ["width"] = width, ["height"] = height });

    /// <summary>A file; size in bytes.</summary>
    public static MessageContent File(string url, string name, long size) =>
        Media("file", new JsonObject { ["url"] = url, ["name"] = name, ["size"] = size });

    /// <summary>A place; degrees WGS 84.</summary>
    public static MessageContent Location(double latitude, double longitude, string name = "") =>
        Media("location", new JsonObject { ["latitude"] = latitude, ["longitude"] = longitude, ["name"] = name });

    /// <summary>Something that the receiving app does rather than shows.</summary>
    public static MessageContent Command(string command) => new() { ContentType = "command", Text = command };

    /// <summary>The host's own.</summary>
    public static MessageContent Custom(string text, ReadOnlyMemory<byte> data = default) =>
        new() { ContentType = "custom", Text = text, Data = data };

    private static MessageContent Media(string contentType, JsonObject fields) =>
        new() { ContentType = contentType, Text = fields.ToJsonString() };
}
