using Im;
using Im.Model;
using Im.Protocol;
using Im.Rooms;

namespace Im.Docs.Snippets;

/// <summary>What a host does with rooms.</summary>
internal static class RoomSnippets
{
    public static void Open(IServiceCollection services)
    {
        services.AddImServer()
            .AddUserProvider<DemoUsers>()
            .AddRoomPolicy<StreamPolicy>()                                    // or .AllowAllRooms()
            .UseRooms(o => o.ReplayAge = TimeSpan.FromMinutes(5));      // every limit has a default
    }

    public static async Task UseAsync(IImServer im)
    {
        await im.Rooms.SendAsync("stream-7", new OutgoingRoomMessage { SenderId = "$goals", Content = MessageContent.FromText("1:0") }, RoomPriority.High);
        var watching = await im.Rooms.CountSubscribersAsync("stream-7");      // on all nodes
        await im.Rooms.RemoveAsync("stream-7", "mallory");                    // on all nodes; the policy keeps the user out
    }

    private sealed class StreamPolicy(Streams streams) : IRoomPolicy
    {
        public ValueTask<bool> CanSubscribeAsync(RoomAccess access, CancellationToken cancellationToken) =>
            ValueTask.FromResult(streams.IsPublic(access.RoomId));

        public ValueTask<bool> CanSendAsync(RoomAccess access, CancellationToken cancellationToken) =>
            ValueTask.FromResult(streams.IsModerator(access.RoomId, access.UserId));
    }

    internal sealed class Streams
    {
        public bool IsPublic(string roomId) => roomId.StartsWith("stream-", StringComparison.Ordinal);

        public bool IsModerator(string roomId, string userId) => userId == roomId;
    }
}
