namespace Im.Cluster;

/// <summary>A process that runs the server.</summary>
/// <param name="Name">The node's unique name.</param>
/// <param name="InstanceId">Random for each start of the process.</param>
/// <param name="Version">The version of the packages.</param>
public sealed record NodeDescription(string Name, string InstanceId, string Version);

/// <summary>A node with its lease.</summary>
/// <param name="Description">Who it is.</param>
/// <param name="Epoch">Rises at each start and lost lease.</param>
/// <param name="JoinedMs">When it joined, by the directory's clock, unix milliseconds UTC.</param>
public sealed record LiveNode(NodeDescription Description, long Epoch, long JoinedMs)
{
    /// <summary>The node's name.</summary>
    public string Name => Description.Name;
}

/// <summary>What became of a join.</summary>
/// <param name="Epoch">The node's epoch; 0 = refused.</param>
/// <param name="Holder">Where refused, who holds the name.</param>
public readonly record struct NodeJoined(long Epoch, LiveNode? Holder)
{
    /// <summary>Whether the node has the lease now.</summary>
    public bool IsAccepted => Epoch != 0;
}

/// <summary>One session as the directory knows it. No field contains control characters.</summary>
public sealed record DirectorySession
{
    /// <summary>The user.</summary>
    public required string UserId { get; init; }

    /// <summary>The device.</summary>
    public required string DeviceId { get; init; }

    /// <summary>The node that has the connection.</summary>
    public required string NodeName { get; init; }

    /// <summary>The node's epoch.</summary>
    public required long Epoch { get; init; }

    /// <summary>The connection, unique on its node.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>Which start of the client it is; empty where the client does not say.</summary>
    public string InstanceId { get; init; } = "";

    /// <summary>Which of its connections.</summary>
    public uint Attempt { get; init; }

    /// <summary>The type of the device, for presence; may be empty.</summary>
    public string DeviceType { get; init; } = "";

    /// <summary>When it signed in by its node's clock, unix milliseconds UTC; to look at, never to compare.</summary>
    public long SignedInMs { get; init; }

    /// <summary>Its place in the order of registrations; given by the directory, 0 = never registered.</summary>
    public long Ticket { get; init; }
}

/// <summary>What became of a registration.</summary>
/// <param name="Ticket">The session's ticket; 0 = not registered, since <paramref name="Other"/> has the device's place.</param>
/// <param name="Other">The session that was replaced, or, where not registered, the newer one; null = none.</param>
/// <param name="OtherSessions">How many other sessions the user has now: 0 = the user has just come online, or is it by this session alone.</param>
/// <param name="IsSame">Whether this very session stood there already: a node registers its sessions again under a new epoch.</param>
public readonly record struct Registration(long Ticket, DirectorySession? Other, int OtherSessions, bool IsSame = false);

/// <summary>What became of a removal.</summary>
/// <param name="IsRemoved">False: it was not there (any more).</param>
/// <param name="SessionsLeft">How many sessions the user has now.</param>
public readonly record struct Removal(bool IsRemoved, int SessionsLeft);

/// <summary>A user in the directory.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Sessions">The user's sessions, one a device.</param>
/// <param name="LastSeenMs">When the last session ended, by the directory's clock; 0 = not known.</param>
public sealed record UserSessions(string UserId, IReadOnlyList<DirectorySession> Sessions, long LastSeenMs);

/// <summary>A part of all users who are online.</summary>
/// <param name="Users">The users.</param>
/// <param name="Next">For the next page; null = this was the last one.</param>
public sealed record OnlinePage(IReadOnlyList<UserSessions> Users, string? Next);
