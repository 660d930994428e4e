using System.Collections.Immutable;

namespace Im.Client;

/// <summary>How far the application has stored its timelines; immutable.</summary>
public sealed record ImCursors
{
    /// <summary>A device that has nothing yet.</summary>
    public static ImCursors None { get; } = new();

    /// <summary>Whose cursors these are; empty = nobody's yet. Another user signing in on the device starts anew.</summary>
    public string UserId { get; init; } = "";

    /// <summary>The store generation they belong to; empty = no cursors yet.</summary>
    public string Generation { get; init; } = "";

    /// <summary>The last inbox entry stored; 0 = none.</summary>
    public long InboxSeq { get; init; }

    /// <summary>The conversations with fan-out on read.</summary>
    public ImmutableDictionary<string, ImConversationCursor> Conversations { get; init; } =
        ImmutableDictionary<string, ImConversationCursor>.Empty;
}
