using Im.Model;

namespace Im.Administration;

/// <summary>Looks at all nodes of the cluster and acts on them: what an operator needs. The same that <c>MapImAdmin</c> of Im.Admin offers over HTTP.</summary>
/// <remarks>
/// <para>Nobody is asked for rights here: whoever has the host's services may do everything. Thread-safe.</para>
/// <para>A node that does not answer within <c>ImClusterOptions.RequestTimeout</c> never makes a call fail that concerns others too; the answer names it. Where
/// a call is for that node alone, or the session directory is away, it is an <see cref="ImException"/> with
/// <see cref="ImErrorCode.ClusterUnavailable"/>. What is not there is null; an argument that cannot be right is an <see cref="ArgumentException"/>. All
/// times are unix milliseconds UTC. A <c>limit</c> over <see cref="ImAdminOptions.MaxPageItems"/> counts as that.</para>
/// </remarks>
public interface IImAdmin
{
    /// <summary>The nodes that live, ordered by name, each with its state; one that does not answer is among them and says so.</summary>
    ValueTask<IReadOnlyList<AdminNode>> GetNodesAsync(CancellationToken cancellationToken = default);

    /// <summary>What goes on in one node; null = no such node.</summary>
    ValueTask<AdminNodeStatus?> GetStatusAsync(string nodeName, CancellationToken cancellationToken = default);

    /// <summary>Connections of all nodes, by node and then by age, those that fit the filter.</summary>
    /// <param name="filter">Which ones; a new filter has no conditions.</param>
    /// <param name="after">Null, or what the page before gave as its next one.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    ValueTask<AdminConnectionPage> ListConnectionsAsync(
        AdminConnectionFilter filter, string? after = null, int limit = 50, CancellationToken cancellationToken = default);

    /// <summary>One connection with its session, its queue and its timelines; null = no such node or connection.</summary>
    ValueTask<AdminConnectionDetail?> GetConnectionAsync(string nodeName, string connectionId, CancellationToken cancellationToken = default);

    /// <summary>Closes a connection with a code (<see cref="ImCloseCode.Disconnected"/> or one of the host's own) and a reason that the client is told.</summary>
    /// <returns>False: there is no such node or connection.</returns>
    ValueTask<bool> DisconnectAsync(
        string nodeName,
        string connectionId,
        ImCloseCode code = ImCloseCode.Disconnected,
        string reason = "",
        CancellationToken cancellationToken = default);

    /// <summary>The users who are online on any node, in no order. Who comes or goes meanwhile may be missing or there twice.</summary>
    ValueTask<AdminOnlinePage> ListOnlineAsync(string? after = null, int limit = 50, CancellationToken cancellationToken = default);

    /// <summary>A user with sessions, devices and a page of conversations; null = no such user.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="afterConversationId">The conversations after this one; null = from the first.</param>
    /// <param name="limit">At most so many conversations.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    ValueTask<AdminUser?> GetUserAsync(
        string userId, string? afterConversationId = null, int limit = 50, CancellationToken cancellationToken = default);

    /// <summary>Hands a message to every session of every node: not stored, at most once, dropped where a queue is full.</summary>
    /// <param name="senderId">Who it is from: a user, or a system sender such as <c>$system</c>.</param>
    /// <param name="content">What it says.</param>
    /// <param name="cancellationToken">Ends the asking; what has been handed over stays so.</param>
    /// <returns>To how many sessions it was handed, node by node.</returns>
    ValueTask<AdminBroadcast> SendToAllAsync(string senderId, MessageContent content, CancellationToken cancellationToken = default);

    /// <summary>A group; null = no such group.</summary>
    ValueTask<AdminGroup?> GetGroupAsync(string groupId, CancellationToken cancellationToken = default);

    /// <summary>Members of a group ordered by id; null = no such group.</summary>
    ValueTask<AdminMemberPage?> ListMembersAsync(
        string groupId, string? afterUserId = null, int limit = 50, CancellationToken cancellationToken = default);

    /// <summary>Why a message was, or was not, delivered to a user: follows it from its acceptance to each of the user's devices.</summary>
    ValueTask<AdminTrace> TraceAsync(AdminTraceQuery query, CancellationToken cancellationToken = default);
}
