using Im.Protocol;

namespace Im.Core.Tests.Rooms;

/// <summary>Packets of rooms in short.</summary>
internal static class RoomPackets
{
    public static ClientPacket Subscribe(string room, int replay = 0, bool leaveOthers = false) =>
        new() { SubscribeRoom = new SubscribeRoom { RoomId = room, ReplayMessages = replay, LeaveOthers = leaveOthers } };

    public static ClientPacket Resume(string room, string epoch, long normal, long high) => new()
    {
        SubscribeRoom = new SubscribeRoom
        {
            RoomId = room,
            Epoch = epoch,
            Cursors = { new RoomCursor { Priority = RoomPriority.Normal, RoomSeq = normal }, new RoomCursor { Priority = RoomPriority.High, RoomSeq = high } },
        },
    };

    public static ClientPacket Leave(string room) => new() { LeaveRoom = new LeaveRoom { RoomId = room } };

    public static IEnumerable<string> Texts(this IEnumerable<ServerPacket> packets) =>
        packets.Where(packet => packet.RoomPush is not null).SelectMany(packet => packet.RoomPush.Messages).Select(message => message.Content.Text);

    public static long Head(this RoomSubscribed subscribed, RoomPriority priority) => subscribed.Heads.Single(head => head.Priority == priority).RoomSeq;
}
