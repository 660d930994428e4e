using System.Buffers;
using Im.Cluster.Wire;
using Im.Connections;
using Im.Diagnostics;
using Im.Presence;
using Im.Protocol;
using Im.Rooms;

namespace Im.Cluster;

/// <summary>Hands signals to sessions of this node, those of other nodes' senders and those of its own.</summary>
internal sealed class RemoteSignals(SessionRegistry sessions, ConversationReaders readers, RoomRegistry rooms, Broadcasts broadcasts, ImMetrics metrics)
{
    /// <summary>Delivers what another node has sent.</summary>
    public void Deliver(SignalPush push)
    {
        var signal = new SharedPacket(push.Packet.ToByteArray());
        if (push.Everyone)
        {
            broadcasts.Add(signal);
        }

        ToUsers(push.UserIds, signal, null);
        if (push.ConversationId.Length > 0)
        {
            ToReaders(push.ConversationId, signal, null);
        }

        if (push.RoomId.Length > 0)
        {
            ToRoom(push.RoomId, signal, null);
        }
    }

    /// <summary>To the users' sessions here.</summary>
    public void ToUsers(IEnumerable<string> userIds, SharedPacket signal, Connection? except)
    {
        foreach (var userId in userIds)
        {
            foreach (var session in sessions.Get(userId))
            {
                Send(session, except, signal);
            }
        }
    }

    /// <summary>To the sessions here that follow the conversation's own timeline.</summary>
    public void ToReaders(string conversationId, SharedPacket signal, Connection? except)
    {
        if (readers.Rent(conversationId, out var count) is not { } rented)
        {
            return;
        }

        foreach (var session in rented.AsSpan(0, count))
        {
            Send(session, except, signal);
        }

        ArrayPool<Session>.Shared.Return(rented, clearArray: true);
    }

    /// <summary>To the sessions here that subscribe to the room.</summary>
    public void ToRoom(string roomId, SharedPacket signal, Connection? except)
    {
        if (rooms.Find(roomId)?.Rent(out var count) is not { } rented)
        {
            return;
        }

        foreach (var subscription in rented.AsSpan(0, count))
        {
            Send(subscription.Session, except, signal);
        }

        ArrayPool<RoomSubscription>.Shared.Return(rented, clearArray: true);
    }

    /// <summary>To one session, unless it has <paramref name="except"/>.</summary>
    public void Send(Session session, Connection? except, SharedPacket signal)
    {
        if (session.Connection != except && !session.TrySignal(signal.Get(session.Connection.Outbox.Codec)))
        {
            metrics.SignalDropped();
        }
    }
}

/// <summary>A packet of the server that many get: encoded once for each codec that has a session.</summary>
internal sealed class SharedPacket
{
    private readonly byte[]?[] _byCodec = new byte[]?[2];
    private ServerPacket? _packet;

    public SharedPacket(ServerPacket packet) => _packet = packet;

    public SharedPacket(byte[] protobuf) => _byCodec[(int)ImCodec.Protobuf] = protobuf;

    public byte[] Get(ImCodec codec) => _byCodec[(int)codec] ??= PacketCodec.Write(Packet, codec);

    private ServerPacket Packet => _packet ??= ServerPacket.Parser.ParseFrom(_byCodec[(int)ImCodec.Protobuf]);
}
