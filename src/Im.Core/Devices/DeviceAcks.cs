using Im.Connections;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;

namespace Im.Devices;

/// <summary>Takes device acks: how far a device has stored its timelines.</summary>
internal sealed class DeviceAcks(IDeviceStore devices)
{
    public async ValueTask AckAsync(Session session, DeviceAck request, CancellationToken cancellationToken)
    {
        if (request.InboxSeq < 0
            || request.Conversations.Any(cursor => cursor.ConversationSeq < 0 || cursor.ConversationId.Length is 0 or > ConversationId.MaxBytes))
        {
            throw new ImException(ImErrorCode.InvalidArgument, "A seq of deviceAck is negative, or it names no conversation.");
        }

        var acks = new List<DeviceTimelineAck>(1 + request.Conversations.Count);
        if (request.InboxSeq > 0)
        {
            acks.Add(new DeviceTimelineAck(session.UserId, session.Device.DeviceId, TimelineKey.Inbox(session.UserId), request.InboxSeq));
        }

        // Only of conversations that the session has a cursor on: nobody fills the store with others' names.
        acks.AddRange(request.Conversations
            .Where(cursor => session.HasTimeline(cursor.ConversationId))
            .Select(cursor => new DeviceTimelineAck(
                session.UserId, session.Device.DeviceId, TimelineKey.Conversation(cursor.ConversationId), cursor.ConversationSeq)));
        if (acks.Count > 0)
        {
            await devices.AckAsync(acks, cancellationToken);
        }
    }
}
