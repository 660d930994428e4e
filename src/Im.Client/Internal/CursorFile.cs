using System.Text.Json.Serialization;

namespace Im.Client.Internal;

/// <summary>The file of a <see cref="FileCursorStore"/>.</summary>
internal sealed record CursorFile(
    string UserId, string Generation, long InboxSeq, Dictionary<string, ImConversationCursor> Conversations);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CursorFile))]
internal sealed partial class CursorFileContext : JsonSerializerContext;
