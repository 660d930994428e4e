using Im.Protocol;

namespace Im.Presence;

/// <summary>Who is connected, on all nodes.</summary>
/// <remarks>While the session directory is away, only this node's sessions are known.</remarks>
public interface IImSessions
{
    /// <summary>How many connections there are on this node, signed in or not.</summary>
    int ConnectionCount { get; }

    /// <summary>Those of the given users who have a session now.</summary>
    ValueTask<IReadOnlySet<string>> GetOnlineAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken = default);

    /// <summary>The user's sessions now, ordered by device id.</summary>
    ValueTask<IReadOnlyList<ImSession>> GetSessionsAsync(string userId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Closes the sessions of a user, or of one device, with a code (<see cref="ImCloseCode.Disconnected"/> or the host's own from
    /// <see cref="ImCloseCode.FirstHostCode"/> to 4999) and a reason that the client is told. Returns how many there were.
    /// </summary>
    /// <exception cref="ImException"><see cref="ImErrorCode.ClusterUnavailable"/>: a node did not answer; on the others they are closed.</exception>
    ValueTask<int> DisconnectAsync(
        string userId,
        string? deviceId = null,
        ImCloseCode code = ImCloseCode.Disconnected,
        string reason = "",
        CancellationToken cancellationToken = default);
}
