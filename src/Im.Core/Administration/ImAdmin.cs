using Im.Cluster;
using Im.Connections;
using Im.Diagnostics;
using Im.Groups;
using Im.Messaging;
using Im.Model;
using Im.Presence;
using Im.Storage;
using Im.Timelines;
using Im.Users;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Administration;

/// <summary>The admin operations: asks the nodes and the store, and puts the answers together. Keeps nothing.</summary>
internal sealed partial class ImAdmin(
    NodeQuestions nodes,
    ISessionDirectory directory,
    ClusterState state,
    IImSessions sessions,
    IImGroups groups,
    IMessageStore store,
    IConversationStore conversations,
    IDeviceStore devices,
    UserDirectory users,
    MessageTracer tracer,
    TimeProvider time,
    IOptions<ImServerOptions> server,
    IOptions<ImAdminOptions> options,
    ILogger<ImAdmin> logger) : IImAdmin
{
    private static readonly NoArguments Nothing = new();

    public async ValueTask<IReadOnlyList<AdminNode>> GetNodesAsync(CancellationToken cancellationToken = default)
    {
        var answers = await nodes.AskAllAsync(
            DescribeNode.OperationName, Nothing, AdminJson.Default.NoArguments, AdminJson.Default.AdminNodeStatus, cancellationToken);
        return [.. answers.Select(one => ToNode(one.Node, one.Answer))];
    }

    public async ValueTask<AdminNodeStatus?> GetStatusAsync(string nodeName, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(nodeName);
        return nodes.Knows(nodeName)
            ? await nodes.AskAsync(
                nodeName, DescribeNode.OperationName, Nothing, AdminJson.Default.NoArguments, AdminJson.Default.AdminNodeStatus, cancellationToken)
            : null;
    }

    public async ValueTask<AdminConnectionPage> ListConnectionsAsync(
        AdminConnectionFilter filter, string? after = null, int limit = 50, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        var room = AdminArguments.Clamp(limit, options.Value);
        var place = ConnectionCursor.Parse(after);
        var found = new List<AdminConnection>();
        var silent = new List<string>();
        foreach (var node in nodes.Nodes.Where(node => string.CompareOrdinal(node.Name, place.Node) >= 0 && (filter.Node is null || node.Name == filter.Node)))
        {
            if (found.Count == room)
            {
                return new AdminConnectionPage(found, new ConnectionCursor(node.Name, 0).ToString(), silent);
            }

            var question = new ConnectionsRequest(filter, node.Name == place.Node ? place.After : 0, room - found.Count);
            try
            {
                var part = await nodes.AskAsync(
                    node.Name, ListConnections.OperationName, question, AdminJson.Default.ConnectionsRequest, AdminJson.Default.ConnectionsAnswer, cancellationToken);
                found.AddRange(part.Connections);
                if (part.HasMore)
                {
                    return new AdminConnectionPage(found, new ConnectionCursor(node.Name, part.Last).ToString(), silent);
                }
            }
            catch (ImException exception) when (exception.Code == ImErrorCode.ClusterUnavailable)
            {
                silent.Add(node.Name);
            }
        }

        return new AdminConnectionPage(found, null, silent);
    }

    public async ValueTask<AdminConnectionDetail?> GetConnectionAsync(string nodeName, string connectionId, CancellationToken cancellationToken = default)
    {
        var answer = await AskConnectionAsync(nodeName, DescribeConnection.OperationName, new ConnectionRequest(connectionId), cancellationToken);
        return answer?.Detail;
    }

    public async ValueTask<bool> DisconnectAsync(
        string nodeName,
        string connectionId,
        ImCloseCode code = ImCloseCode.Disconnected,
        string reason = "",
        CancellationToken cancellationToken = default)
    {
        AdminArguments.ThrowIfBadClose(code, reason);
        var question = new ConnectionRequest(connectionId, (int)code, reason);
        var answer = await AskConnectionAsync(nodeName, CloseConnection.OperationName, question, cancellationToken);
        if (answer?.IsFound != true)
        {
            return false;
        }

        Log.AdminClosed(logger, nodeName, connectionId, code, reason);
        return true;
    }

    private async ValueTask<ConnectionAnswer?> AskConnectionAsync(
        string nodeName, string operation, ConnectionRequest question, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(nodeName);
        ArgumentNullException.ThrowIfNull(question.ConnectionId);
        return nodes.Knows(nodeName)
            ? await nodes.AskAsync(
                nodeName, operation, question, AdminJson.Default.ConnectionRequest, AdminJson.Default.ConnectionAnswer, cancellationToken)
            : null;
    }

    private AdminNode ToNode(LiveNode node, AdminNodeStatus? status) => new()
    {
        Name = node.Name,
        Epoch = node.Epoch,
        InstanceId = node.Description.InstanceId,
        Version = node.Description.Version,
        JoinedMs = node.JoinedMs,
        IsThis = node.Name == nodes.ThisNode,
        Answered = status is not null,
        Health = status?.Health ?? AdminHealth.Unknown,
        HealthText = status?.HealthText ?? "The node did not answer in time; it may be gone, frozen or cut off.",
        Connections = status?.Connections ?? 0,
        Sessions = status?.Sessions ?? 0,
        Users = status?.Users ?? 0,
        Status = status,
    };
}
