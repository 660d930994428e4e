using System.Buffers;
using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Wire;
using Im.Protocol;

namespace Im.LoadGenerator.Clients;

internal sealed partial class Device
{
    private const byte RequestIdTag = 1 << 3;
    private const byte SendAckTag = (6 << 3) | 2;

    /// <summary>A packet that is no push of entries.</summary>
    public void OnPacket(ReadOnlySpan<byte> bytes)
    {
        var isJson = _world.Target.Transport == TransportKind.WsJson;
        if (!isJson && (TryReadRoomPush(bytes) || TryReadSendAck(bytes)))
        {
            return;
        }

        if (!PacketCodec.TryReadServerPacket(
            new ReadOnlySequence<byte>(bytes.ToArray()), isJson ? ImCodec.Json : ImCodec.Protobuf, out var packet, out var problem))
        {
            throw new InvalidDataException($"The server sent no packet: {problem}");
        }

        switch (packet.PacketCase)
        {
            case ServerPacket.PacketOneofCase.SendAck:
                OnSendAck(SendFrame.ToNumber(packet.RequestId, isJson), packet.SendAck.Result, packet.SendAck.ConversationSeq, packet.SendAck.TimeMs);
                break;
            case ServerPacket.PacketOneofCase.RoomPush:
                OnRoomPush(packet.RoomPush);
                break;
            case ServerPacket.PacketOneofCase.RoomSubscribed:
                _world.Subscribed++;
                break;
            case ServerPacket.PacketOneofCase.RoomSent:
                OnSendAck(SendFrame.ToNumber(packet.RequestId, isJson), SendResult.Stored, packet.RoomSent.RoomSeq, packet.RoomSent.TimeMs);
                break;
            case ServerPacket.PacketOneofCase.SignedIn:
                OnSignedIn(packet.SignedIn);
                break;
            case ServerPacket.PacketOneofCase.Snapshot:
                OnSnapshot(packet.Snapshot);
                break;
            case ServerPacket.PacketOneofCase.Push:
                OnSkip(packet.Push);
                break;
            case ServerPacket.PacketOneofCase.Error:
                OnError(packet.RequestId, packet.Error, isJson);
                break;
            case ServerPacket.PacketOneofCase.Close:
                _world.OnClose(this, packet.Close);
                break;
        }
    }

    // ServerPacket { 08 request id, 32 len SendAck { 08 result, 12 message id, 1A conversation id, 20 seq, 28 time } }
    private bool TryReadSendAck(ReadOnlySpan<byte> bytes)
    {
        var at = 1;
        if (bytes.IsEmpty || bytes[0] != RequestIdTag || !Varint.TryRead(bytes, ref at, out var requestId)
            || at >= bytes.Length || bytes[at++] != SendAckTag || !Varint.TryRead(bytes, ref at, out _))
        {
            return false;
        }

        ulong result = 0, seq = 0, time = 0;
        while (at < bytes.Length)
        {
            var tag = bytes[at++];
            if (!Varint.TryRead(bytes, ref at, out var value))
            {
                return false;
            }

            switch (tag)
            {
                case 1 << 3:
                    result = value;
                    break;
                case 4 << 3:
                    seq = value;
                    break;
                case 5 << 3:
                    time = value;
                    break;
                case var _ when (tag & 7) == 2:
                    at += (int)value;
                    break;
            }
        }

        OnSendAck(SendFrame.ToNumber((uint)requestId, isJson: false), (SendResult)result, (long)seq, (long)time);
        return true;
    }

    private void OnSendAck(int number, SendResult result, long seq, long timeMs)
    {
        if ((uint)number >= (uint)_ledger.Sent || _ledger[number].Device != Index)
        {
            _ledger.Error($"{UserId} got a send ack for a message that it did not send.");
            return;
        }

        var isAwaited = Unacked.Remove(number);
        if (result != SendResult.Duplicate && (result != SendResult.Stored || !isAwaited))
        {
            _ledger.Error($"{UserId}: message {number} was acked as {result}.");
        }

        _ledger.Ack(number, seq, timeMs, isFirst: isAwaited || !_world.IsRepeating, _world.Loop.Now);
        _world.Acked?.Invoke(this, number);
    }

    private void OnSignedIn(SignedIn signedIn)
    {
        _inboxHead = signedIn.InboxHead;
        _world.UsePingInterval(signedIn.IdleTimeoutMs);
        if (signedIn.Reset && Generation.Length > 0)
        {
            _ledger.Error($"{UserId}: the server dropped the device's cursors (generation {Generation}, now {signedIn.Generation}).");
        }

        Generation = signedIn.Generation;
        State = DeviceState.CatchingUp;
        _world.OnSignedIn(this);
        if (!signedIn.Reset)
        {
            SetLive();
        }
        else
        {
            _inboxHead = long.MaxValue; // until the snapshot is there
        }
    }

    private void OnSnapshot(Snapshot page)
    {
        foreach (var state in page.Conversations)
        {
            if (_places.Find(place => place.Conversation.Id == state.ConversationId) is not { } place)
            {
                continue;
            }

            place.Last = state.Head;
            _world.SetBase(place.Conversation, state.Head);
            place.Conversation.IsRead = state.Fanout == Fanout.Read;
        }

        if (!page.HasMore)
        {
            InboxCursor = _inboxHead = page.InboxSeq;
            SetLive();
        }
    }

    // A push without entries: they do not come through this timeline.
    private void OnSkip(Push push)
    {
        if (push.SkippedThrough > 0 && _places.Find(place => place.Conversation.Id == push.ConversationId) is { } place)
        {
            place.Last = Math.Max(place.Last, push.SkippedThrough);
            _ledger.Error($"{UserId}: the server skipped {push.ConversationId} up to {push.SkippedThrough}, though nobody left.");
        }
    }

    private void OnError(uint requestId, Error error, bool isJson)
    {
        var number = SendFrame.ToNumber(requestId, isJson);
        if (number >= 0 && number < _ledger.Sent && _ledger[number].Device == Index)
        {
            _world.OnRefused(this, number, error);
        }
        else if (!_world.IsExpected(error))
        {
            _ledger.Error($"{UserId}: error {error.Code} {error.Reason}: {error.Message}");
        }
    }
}
