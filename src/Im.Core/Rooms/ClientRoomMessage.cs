using Im.Connections;
using Im.Protocol;

namespace Im.Rooms;

/// <summary>A message of a client's; its connection waits for the answer as for a send's.</summary>
internal sealed class ClientRoomMessage(Connection connection, uint requestId, string roomId, RoomPriority priority, long timeMs, ReadOnlyMemory<byte> bytes)
    : PendingRoomMessage(bytes)
{
    public override void Sent(RoomPosition position)
    {
        connection.Reply(requestId, new ServerPacket
        {
            RoomSent = new RoomSent { RoomId = roomId, Priority = priority, RoomSeq = position.Seq, TimeMs = timeMs },
        });
        connection.EndPending();
    }

    public override void Refuse(ImException exception)
    {
        connection.ReplyError(requestId, exception.Code, exception.Message);
        connection.EndPending();
    }
}
