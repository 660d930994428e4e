using Im.Cluster;
using Im.Connections;
using Im.Messaging;

namespace Im.Administration;

/// <summary>Tells how this node is.</summary>
internal sealed class DescribeNode(NodeInspector inspector)
    : AdminOperation<NoArguments, AdminNodeStatus>(OperationName, AdminJson.Default.NoArguments, AdminJson.Default.AdminNodeStatus)
{
    public const string OperationName = "admin.status";

    protected override ValueTask<AdminNodeStatus> AnswerAsync(NoArguments question, CancellationToken cancellationToken) =>
        inspector.DescribeAsync(cancellationToken);
}

/// <summary>Lists connections of this node.</summary>
internal sealed class ListConnections(ConnectionInspector inspector)
    : AdminOperation<ConnectionsRequest, ConnectionsAnswer>(OperationName, AdminJson.Default.ConnectionsRequest, AdminJson.Default.ConnectionsAnswer)
{
    public const string OperationName = "admin.connections";

    protected override ValueTask<ConnectionsAnswer> AnswerAsync(ConnectionsRequest question, CancellationToken cancellationToken)
    {
        var (found, last, hasMore) = inspector.List(question.Filter, question.After, question.Limit);
        return new(new ConnectionsAnswer(found, last, hasMore));
    }
}

/// <summary>Tells everything about one connection of this node.</summary>
internal sealed class DescribeConnection(ConnectionInspector inspector)
    : AdminOperation<ConnectionRequest, ConnectionAnswer>(OperationName, AdminJson.Default.ConnectionRequest, AdminJson.Default.ConnectionAnswer)
{
    public const string OperationName = "admin.connection";

    protected override ValueTask<ConnectionAnswer> AnswerAsync(ConnectionRequest question, CancellationToken cancellationToken) =>
        new(inspector.Find(question.ConnectionId) is { } connection
            ? new ConnectionAnswer(true, inspector.DescribeAll(connection))
            : new ConnectionAnswer(false, null));
}

/// <summary>Closes one connection of this node.</summary>
internal sealed class CloseConnection(ConnectionInspector inspector)
    : AdminOperation<ConnectionRequest, ConnectionAnswer>(OperationName, AdminJson.Default.ConnectionRequest, AdminJson.Default.ConnectionAnswer)
{
    public const string OperationName = "admin.disconnect";

    protected override ValueTask<ConnectionAnswer> AnswerAsync(ConnectionRequest question, CancellationToken cancellationToken)
    {
        var connection = inspector.Find(question.ConnectionId);
        connection?.Close((ImCloseCode)question.Code, question.Reason);
        return new(new ConnectionAnswer(connection is not null, null));
    }
}

/// <summary>Tells what this node knows of a message's way to a user.</summary>
internal sealed class DescribePlaces(ConnectionInspector inspector, NoticeLog notices, AfterCommit afterCommit, ClusterState state)
    : AdminOperation<PlacesRequest, PlacesAnswer>(OperationName, AdminJson.Default.PlacesRequest, AdminJson.Default.PlacesAnswer)
{
    public const string OperationName = "admin.places";

    protected override ValueTask<PlacesAnswer> AnswerAsync(PlacesRequest question, CancellationToken cancellationToken) => new(new PlacesAnswer(
        inspector.DescribePlaces(question.UserId, question.ConversationId),
        notices.Find(state.Node.Name, question.ConversationId, question.Seq, question.UserId),
        afterCommit.WantsNotices));
}

/// <summary>Hands a packet to all sessions of this node.</summary>
internal sealed class Broadcast(SessionRegistry sessions)
    : AdminOperation<BroadcastRequest, BroadcastAnswer>(OperationName, AdminJson.Default.BroadcastRequest, AdminJson.Default.BroadcastAnswer)
{
    public const string OperationName = "admin.broadcast";

    protected override ValueTask<BroadcastAnswer> AnswerAsync(BroadcastRequest question, CancellationToken cancellationToken)
    {
        var packet = new SharedPacket(question.Packet);
        var (handed, dropped) = (0, 0);
        foreach (var session in sessions.All)
        {
            if (session.TrySignal(packet.Get(session.Connection.Outbox.Codec)))
            {
                handed++;
            }
            else
            {
                dropped++;
            }
        }

        return new(new BroadcastAnswer(handed, dropped));
    }
}
