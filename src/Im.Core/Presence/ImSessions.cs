using System.Text.Json;
using Im.Cluster;
using Im.Connections;
using Im.Devices;
using Im.Protocol;

namespace Im.Presence;

/// <summary>The host's view of who is connected, on all nodes.</summary>
internal sealed class ImSessions(
    ConnectionRegistry connections, OnlineUsers online, ISessionDirectory directory, ClusterState state, ClusterRequests requests) : IImSessions
{
    private const int LastHostCode = 4999;

    public int ConnectionCount => connections.Count;

    public async ValueTask<IReadOnlySet<string>> GetOnlineAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(userIds);
        return await online.FindAsync(userIds, cancellationToken);
    }

    public async ValueTask<IReadOnlyList<ImSession>> GetSessionsAsync(string userId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(userId);
        var body = JsonSerializer.SerializeToUtf8Bytes(new SessionsRequest(userId), SessionsJson.Default.SessionsRequest);
        var found = await ListAsync(state.Node.Name, body, [], cancellationToken);
        foreach (var node in await FindElsewhereAsync(userId, cancellationToken))
        {
            found.AddRange(await ListAsync(node.Key, body, [.. node], cancellationToken));
        }

        return [.. found.OrderBy(session => session.Device.DeviceId, StringComparer.Ordinal)];
    }

    public async ValueTask<int> DisconnectAsync(
        string userId,
        string? deviceId = null,
        ImCloseCode code = ImCloseCode.Disconnected,
        string reason = "",
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(userId);
        if (code != ImCloseCode.Disconnected && (int)code is < (int)ImCloseCode.FirstHostCode or > LastHostCode)
        {
            throw new ArgumentOutOfRangeException(
                nameof(code), code, $"Use {nameof(ImCloseCode)}.{nameof(ImCloseCode.Disconnected)} or a code of your own from {(int)ImCloseCode.FirstHostCode} to {LastHostCode}.");
        }

        // Everywhere, whatever the directory says: whoever is shut out must not stay for a stale entry.
        var request = new SessionsRequest(userId, deviceId, (int)code, reason);
        var body = JsonSerializer.SerializeToUtf8Bytes(request, SessionsJson.Default.SessionsRequest);
        var answers = await requests.AskAllAsync(DisconnectSessions.OperationName, body, cancellationToken);
        var count = answers.Sum(one => one.Answer is null ? 0 : JsonSerializer.Deserialize(one.Answer, SessionsJson.Default.Int32));
        var silent = string.Join(", ", answers.Where(one => one.Answer is null).Select(one => one.Node.Name));
        return silent.Length == 0
            ? count
            : throw new ImException(ImErrorCode.ClusterUnavailable, $"{count} sessions were closed, but these nodes did not answer: {silent}. Try again.");
    }

    private async ValueTask<IEnumerable<IGrouping<string, DirectorySession>>> FindElsewhereAsync(string userId, CancellationToken cancellationToken)
    {
        if (!state.HasPeers || state.DirectoryFailure is not null)
        {
            return [];
        }

        try
        {
            var view = state.View;
            return (await directory.FindAsync([userId], cancellationToken))[0].Sessions
                .Where(session => session.NodeName != state.Node.Name && view.IsAlive(session))
                .GroupBy(session => session.NodeName, StringComparer.Ordinal);
        }
        catch (ImClusterException exception)
        {
            state.DirectoryFailure ??= exception;
            return [];
        }
    }

    // A node that does not answer: what the directory knows.
    private async ValueTask<List<ImSession>> ListAsync(
        string nodeName, byte[] body, IReadOnlyList<DirectorySession> known, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await requests.AskAsync(nodeName, ListSessions.OperationName, body, cancellationToken);
            return [.. JsonSerializer.Deserialize(answer, SessionsJson.Default.ImSessionArray)!];
        }
        catch (ImClusterException)
        {
            return
            [
                .. known.Select(entry => new ImSession(
                    new ImDevice { UserId = entry.UserId, DeviceId = entry.DeviceId, Type = entry.DeviceType }, entry.ConnectionId, "", "", entry.SignedInMs, nodeName)),
            ];
        }
    }
}
