using Im.Model;

namespace Im.Presence;

/// <summary>Presence of users on all nodes, and signals from the host's own code.</summary>
public interface IImPresence
{
    /// <summary>The users' presence now, in order, without the grace that subscribers are shown. No policy is asked.</summary>
    /// <remarks>While the session directory is away, only this node's sessions are known.</remarks>
    ValueTask<IReadOnlyList<ImUserPresence>> GetAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken = default);

    /// <summary>
    /// Sends a signal (typing and the like) to the members of a conversation who are online, on all nodes: at most once, never stored, not throttled.
    /// </summary>
    /// <param name="conversationId">The conversation; every member's devices get it, the sender's too.</param>
    /// <param name="senderId">A member, or a system sender's name.</param>
    /// <param name="type">What it is, 1–64 bytes.</param>
    /// <param name="data">The application's own, at most 1 KiB.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ImException">As a client's signal would be refused.</exception>
    ValueTask SendSignalAsync(string conversationId, string senderId, string type, string data = "", CancellationToken cancellationToken = default);

    /// <summary>
    /// Sends a non-persistent message to every session of the cluster: at most once, never stored. Returns when it is on its way; the nodes hand it to
    /// their sessions a few at a time.
    /// </summary>
    /// <param name="content">What it says.</param>
    /// <param name="senderId">Whom the clients are shown as its sender.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ImException">The content is not valid.</exception>
    ValueTask SignalAllAsync(MessageContent content, string senderId = "$system", CancellationToken cancellationToken = default);
}
