using Im.Connections;
using Im.Protocol;

namespace Im.Presence;

/// <summary>The host's view of who is connected to this node.</summary>
internal sealed class ImSessions(ConnectionRegistry connections) : IImSessions
{
    private const int LastHostCode = 4999;

    public int ConnectionCount => connections.Count;

    public ValueTask<IReadOnlySet<string>> GetOnlineAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IReadOnlySet<string>>(userIds.Where(connections.Sessions.IsOnline).ToHashSet(StringComparer.Ordinal));

    public ValueTask<IReadOnlyList<ImSession>> GetSessionsAsync(string userId, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IReadOnlyList<ImSession>>(
        [
            .. connections.Sessions.Get(userId).ToArray()
                .OrderBy(session => session.Device.DeviceId, StringComparer.Ordinal)
                .Select(session => new ImSession(
                    session.Device,
                    session.Connection.Id,
                    session.Connection.Transport.Transport,
                    session.Connection.Transport.RemoteAddress,
                    session.SignedInMs)),
        ]);

    public ValueTask<int> DisconnectAsync(
        string userId,
        string? deviceId = null,
        ImCloseCode code = ImCloseCode.Disconnected,
        string reason = "",
        CancellationToken cancellationToken = default)
    {
        if (code != ImCloseCode.Disconnected && (int)code is < (int)ImCloseCode.FirstHostCode or > LastHostCode)
        {
            throw new ArgumentOutOfRangeException(
                nameof(code), code, $"Use {nameof(ImCloseCode)}.{nameof(ImCloseCode.Disconnected)} or a code of your own from {(int)ImCloseCode.FirstHostCode} to {LastHostCode}.");
        }

        var count = 0;
        foreach (var session in connections.Sessions.Get(userId))
        {
            if (deviceId is null || session.Device.DeviceId == deviceId)
            {
                session.Connection.Close(code, reason);
                count++;
            }
        }

        return ValueTask.FromResult(count);
    }
}
