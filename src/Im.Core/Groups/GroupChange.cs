using System.Collections.Immutable;
using Im.Model;
using Im.Protocol;
using Im.Storage;

namespace Im.Groups;

/// <summary>A change as computed from one version of a group.</summary>
internal sealed record GroupChange(EntryKind Kind, Entry Body)
{
    public required ConversationChange Change { get; init; }

    /// <summary>Whose inboxes get its entry.</summary>
    public required ImmutableArray<string> Inboxes { get; init; }

    public ImmutableArray<string> Opens { get; init; } = [];

    public ImmutableArray<string> Closes { get; init; } = [];
}
