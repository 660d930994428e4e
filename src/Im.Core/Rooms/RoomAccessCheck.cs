using Im.Connections;
using Im.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Rooms;

/// <summary>Asks the host's <see cref="IRoomPolicy"/>, in a scope of its own for each call. Without one everything is refused.</summary>
internal sealed class RoomAccessCheck(IServiceScopeFactory scopes)
{
    public ValueTask CheckSubscribeAsync(Session session, string roomId, CancellationToken cancellationToken) =>
        CheckAsync(session, roomId, "subscribe to", static (policy, access, token) => policy.CanSubscribeAsync(access, token), cancellationToken);

    public ValueTask CheckSendAsync(Session session, string roomId, CancellationToken cancellationToken) =>
        CheckAsync(session, roomId, "send to", static (policy, access, token) => policy.CanSendAsync(access, token), cancellationToken);

    private async ValueTask CheckAsync(
        Session session,
        string roomId,
        string what,
        Func<IRoomPolicy, RoomAccess, CancellationToken, ValueTask<bool>> ask,
        CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        if (scope.ServiceProvider.GetService<IRoomPolicy>() is not { } policy)
        {
            throw new ImException(
                ImErrorCode.RoomForbidden,
                "The server has no room policy, so rooms are closed to clients. Add one of the lines: "
                + "builder.Services.AddImServer().AddRoomPolicy<MyRoomPolicy>(); or builder.Services.AddImServer().AllowAllRooms();");
        }

        if (!await ask(policy, new RoomAccess(session.UserId, session.Device.DeviceId, roomId), cancellationToken))
        {
            throw new ImException(ImErrorCode.RoomForbidden, $"You may not {what} the room \"{roomId}\".");
        }
    }
}
