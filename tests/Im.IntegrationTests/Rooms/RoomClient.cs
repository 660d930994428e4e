using Im.IntegrationTests.Support;
using Im.Protocol;

namespace Im.IntegrationTests.Rooms;

/// <summary>What tests do in rooms with a client of any wire.</summary>
internal static class RoomClient
{
    public static ClientPacket Subscribe(string room, bool leaveOthers = false, int replay = 0, string epoch = "", params (RoomPriority Priority, long Seq)[] cursors)
    {
        var subscribe = new SubscribeRoom { RoomId = room, LeaveOthers = leaveOthers, ReplayMessages = replay, Epoch = epoch };
        subscribe.Cursors.AddRange(cursors.Select(cursor => new RoomCursor { Priority = cursor.Priority, RoomSeq = cursor.Seq }));
        return new ClientPacket { SubscribeRoom = subscribe };
    }

    public static ClientPacket Message(string room, string text, RoomPriority priority = RoomPriority.Normal) => new()
    {
        SendToRoom = new SendToRoom { RoomId = room, Priority = priority, ClientMessageId = text, Content = new Content { ContentType = "text", Text = text } },
    };

    public static async Task<RoomSubscribed> SubscribeAsync(this IWireClient client, string room, bool leaveOthers = false, int replay = 0)
    {
        var answer = await client.AskAsync(Subscribe(room, leaveOthers, replay));
        Assert.True(answer.RoomSubscribed is not null, $"Not subscribed: {answer}");
        return answer.RoomSubscribed;
    }

    public static async Task<RoomSent> SendToRoomAsync(this IWireClient client, string room, string text, RoomPriority priority = RoomPriority.Normal)
    {
        var answer = await client.AskAsync(Message(room, text, priority));
        Assert.True(answer.RoomSent is not null, $"Not sent: {answer}");
        return answer.RoomSent;
    }

    /// <summary>Reads so many messages of one room and priority, whose seqs must follow on each other.</summary>
    public static async Task<List<string>> ReadRoomAsync(this IWireClient client, string room, long firstSeq, int count, RoomPriority priority = RoomPriority.Normal)
    {
        var texts = new List<string>();
        while (texts.Count < count)
        {
            var push = (await client.WaitForAsync(ServerPacket.PacketOneofCase.RoomPush)).RoomPush;
            Assert.Equal(room, push.RoomId);
            Assert.Equal(priority, push.Priority);
            Assert.NotEmpty(push.Epoch);
            Assert.Equal(firstSeq + texts.Count, push.FirstRoomSeq);
            texts.AddRange(push.Messages.Select(message => message.Content.Text));
        }

        return texts;
    }

    public static long HeadOf(this RoomSubscribed subscribed, RoomPriority priority) => subscribed.Heads.Single(head => head.Priority == priority).RoomSeq;
}
