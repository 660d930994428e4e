using Im.Cluster;
using Im.Connections;
using Im.Protocol;
using Im.Sync;
using Im.Timelines;
using Microsoft.Extensions.Options;

namespace Im.Administration;

/// <summary>Describes this node's connections.</summary>
internal sealed class ConnectionInspector(
    ConnectionRegistry connections, SessionRegistry sessions, ClusterState cluster, TimeProvider time, IOptions<ImAdminOptions> options)
{
    /// <summary>Connections that fit, by age, after a number; one more than asked for says that there are more.</summary>
    public (AdminConnection[] Found, long Last, bool HasMore) List(AdminConnectionFilter filter, long after, int limit)
    {
        // With a user only that user's are looked at. What is left is ordered by their numbers, which never change.
        var candidates = filter.UserId is { } userId ? sessions.Get(userId).ToArray().Select(session => session.Connection) : connections.All;
        Connection[] found = [.. candidates.Where(one => one.Number > after && Fits(one, filter)).OrderBy(one => one.Number).Take(limit + 1)];
        var page = found.Take(limit).ToArray();
        return ([.. page.Select(Describe)], page.Length == 0 ? after : page[^1].Number, found.Length > limit);
    }

    public Connection? Find(string connectionId) => connections.All.FirstOrDefault(one => one.Id == connectionId);

    public AdminConnection Describe(Connection connection) => new()
    {
        Node = cluster.Node.Name,
        ConnectionId = connection.Id,
        State = StateOf(connection),
        UserId = connection.Session?.UserId ?? "",
        DeviceId = connection.Session?.Device.DeviceId ?? "",
        Transport = connection.Transport.Transport,
        RemoteAddress = connection.Transport.RemoteAddress,
        OpenedMs = Before(connection.OpenFor),
        SignedInMs = connection.Session?.SignedInMs ?? 0,
        LastReceivedMs = Before(connection.SilentFor),
        QueuedBytes = connection.Outbox.QueuedBytes,
    };

    public AdminConnectionDetail DescribeAll(Connection connection)
    {
        var (timelines, count) = connection.Session?.DescribeTimelines(options.Value.MaxPageItems) ?? ([], 0);
        return new AdminConnectionDetail
        {
            Connection = Describe(connection),
            Device = connection.Session?.Device,
            Codec = connection.Transport.Codec == ImCodec.Json ? "json" : "protobuf",
            TokenExpiresMs = connection.ExpiresAtMs,
            WrittenBytes = connection.Outbox.WrittenBytes,
            PendingRequests = connection.PendingRequests,
            IsPaused = connection.IsPaused,
            Timelines = timelines,
            TimelineCount = count,
            Rooms = connection.Session?.DescribeRooms(options.Value.MaxPageItems) ?? [],
        };
    }

    public AdminSessionPlace[] DescribePlaces(string userId, string conversationId) =>
    [
        .. sessions.Get(userId).ToArray().Select(session => new AdminSessionPlace(
            session.Device.DeviceId,
            cluster.Node.Name,
            session.Connection.Id,
            session.SignedInMs,
            Before(session.Connection.SilentFor),
            session.Connection.Outbox.QueuedBytes,
            session.DescribeTimeline(null)!,
            session.DescribeTimeline(conversationId))),
    ];

    private static bool Fits(Connection connection, AdminConnectionFilter filter) =>
        (filter.UserId is null || connection.Session?.UserId == filter.UserId)
        && (filter.DeviceId is null || connection.Session?.Device.DeviceId == filter.DeviceId)
        && (filter.Transport is null || connection.Transport.Transport == filter.Transport)
        && (filter.State is null || StateOf(connection) == filter.State);

    private static AdminConnectionState StateOf(Connection connection) =>
        connection.IsClosed ? AdminConnectionState.Closing
        : connection.Session is not { } session ? AdminConnectionState.SigningIn
        : session.IsLive ? AdminConnectionState.Live
        : AdminConnectionState.Behind;

    private long Before(TimeSpan ago) => (time.GetUtcNow() - ago).ToUnixTimeMilliseconds();
}
