using Im.Model;

namespace Im.Administration;

/// <summary>A group.</summary>
/// <param name="GroupId">The host's id.</param>
/// <param name="ConversationId">Its conversation.</param>
/// <param name="Info">Name, avatar, extra.</param>
/// <param name="MemberCount">How many members.</param>
/// <param name="Version">The membership version.</param>
/// <param name="Fanout">The name of its fan-out strategy.</param>
/// <param name="IsDissolved">Whether it was dissolved.</param>
/// <param name="Head">The last entry's seq.</param>
/// <param name="Floor">The first entry that is still kept.</param>
/// <param name="Messages">How many messages that count as unread it ever had.</param>
public sealed record AdminGroup(
    string GroupId,
    string ConversationId,
    GroupInfo Info,
    int MemberCount,
    long Version,
    string Fanout,
    bool IsDissolved,
    long Head,
    long Floor,
    long Messages);

/// <summary>A part of a group's members.</summary>
/// <param name="UserIds">The members.</param>
/// <param name="Next">The last id of this page, for the next one; null = this was the last page.</param>
public sealed record AdminMemberPage(IReadOnlyList<string> UserIds, string? Next);

/// <summary>What became of a message to everybody.</summary>
/// <param name="Sessions">To how many sessions it was handed.</param>
/// <param name="Dropped">For how many it was dropped, since their queue was full.</param>
/// <param name="SilentNodes">Nodes that did not answer; whether their sessions got it is not known.</param>
public sealed record AdminBroadcast(int Sessions, int Dropped, IReadOnlyList<string> SilentNodes);
