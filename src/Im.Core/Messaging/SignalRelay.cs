using Google.Protobuf;
using Im.Cluster;
using Im.Cluster.Wire;
using Im.Conversations;
using Im.Protocol;

namespace Im.Messaging;

/// <summary>Hands non-persistent messages to who is online on any node: at most once, no seq, dropped where a queue is full.</summary>
internal sealed class SignalRelay(RemoteSignals signals, ClusterSender cluster, ClusterState state)
{
    public void Relay(PendingMessage message, ConversationInfo info)
    {
        var packet = ToPacket(message);
        Relay(info, new SharedPacket(packet), packet, (message as ClientMessage)?.Connection);
        message.Relayed(message.TimeMs);
    }

    /// <summary>Hands a packet to the conversation's members who are online, but not to the connection that it came from.</summary>
    public void Relay(ConversationInfo info, SharedPacket shared, ServerPacket packet, Connections.Connection? origin)
    {
        if (info.WritesInboxes)
        {
            signals.ToUsers(info.Members, shared, origin);
        }
        else
        {
            signals.ToReaders(info.ConversationId, shared, origin);
        }

        if (!state.HasPeers)
        {
            return;
        }

        var push = new SignalPush { Packet = packet.ToByteString() };
        if (info.WritesInboxes)
        {
            cluster.Signal(push, info.Members);
        }
        else
        {
            push.ConversationId = info.ConversationId;
            cluster.Tell(new NodeMessage { Signals = { push } });
        }
    }

    private static ServerPacket ToPacket(PendingMessage message) => new()
    {
        Signal = new Signal
        {
            Message = new Entry
            {
                ConversationId = message.ConversationId,
                SenderId = message.SenderId,
                SenderDeviceId = message.SenderDeviceId,
                ClientMessageId = message.ClientMessageId,
                TimeMs = message.TimeMs,
                Content = message.Content,
            },
        },
    };
}
