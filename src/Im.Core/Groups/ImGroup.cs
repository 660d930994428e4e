using Im.Model;

namespace Im.Groups;

/// <summary>A group at one membership version.</summary>
public sealed record ImGroup
{
    /// <summary>The host's id.</summary>
    public required string GroupId { get; init; }

    /// <summary>Its conversation.</summary>
    public required string ConversationId { get; init; }

    /// <summary>Name, avatar, extra.</summary>
    public required GroupInfo Info { get; init; }

    /// <summary>How many members.</summary>
    public required int MemberCount { get; init; }

    /// <summary>The membership version.</summary>
    public required long Version { get; init; }

    /// <summary>The name of its fan-out strategy.</summary>
    public required string Fanout { get; init; }

    /// <summary>Whether it was dissolved.</summary>
    public required bool IsDissolved { get; init; }
}
