using System.Buffers;
using Im.Connections;
using Im.Conversations;
using Im.Diagnostics;
using Im.Protocol;

namespace Im.Messaging;

/// <summary>Hands non-persistent messages to who is online: at most once, no seq, dropped where a queue is full.</summary>
internal sealed class SignalRelay(SessionRegistry sessions, ConversationReaders readers, ImMetrics metrics)
{
    public void Relay(PendingMessage message, ConversationInfo info)
    {
        var origin = (message as ClientMessage)?.Connection;
        var signal = new EncodedSignal(message);
        if (info.WritesInboxes)
        {
            foreach (var member in info.Members)
            {
                foreach (var session in sessions.Get(member))
                {
                    Send(session, origin, signal);
                }
            }
        }
        else if (readers.Rent(info.ConversationId, out var count) is { } rented)
        {
            foreach (var session in rented.AsSpan(0, count))
            {
                Send(session, origin, signal);
            }

            ArrayPool<Session>.Shared.Return(rented, clearArray: true);
        }

        message.Relayed(message.TimeMs);
    }

    private void Send(Session session, Connection? origin, EncodedSignal signal)
    {
        if (session.Connection != origin && !session.TrySignal(signal.Get(session.Connection.Outbox.Codec)))
        {
            metrics.SignalDropped();
        }
    }

    // Encoded once for each codec that has a session.
    private sealed class EncodedSignal(PendingMessage message)
    {
        private readonly byte[]?[] _byCodec = new byte[]?[2];

        public byte[] Get(ImCodec codec) => _byCodec[(int)codec] ??= PacketCodec.Write(
            new ServerPacket
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
            },
            codec);
    }
}
