using Im.Model;

namespace Im.Groups;

/// <summary>A group to create.</summary>
public sealed record NewGroup
{
    /// <summary>The host's id, 1–128 bytes; null = a random one.</summary>
    public string? GroupId { get; init; }

    /// <summary>Name, avatar, extra.</summary>
    public required GroupInfo Info { get; init; }

    /// <summary>The first members; include the creator.</summary>
    public required IReadOnlyList<string> MemberIds { get; init; }

    /// <summary>Who the first entry says created it.</summary>
    public required string ActorId { get; init; }

    /// <summary>Pins a fan-out strategy by name; null = by the number of members.</summary>
    public string? Fanout { get; init; }
}
