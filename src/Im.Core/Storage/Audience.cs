using System.Collections.Immutable;

namespace Im.Storage;

/// <summary>
/// The inboxes that an item is appended to. One object per conversation and membership version: items with the same object make one class,
/// so that nothing is computed per member and message.
/// </summary>
public sealed class Audience(ImmutableArray<string> userIds)
{
    /// <summary>Nobody: a message with fan-out on read.</summary>
    public static Audience None { get; } = new([]);

    /// <summary>The users, sorted by <see cref="StringComparer.Ordinal"/>, each once.</summary>
    public ImmutableArray<string> UserIds { get; } = userIds;
}
