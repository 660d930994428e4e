using System.Runtime.InteropServices;
using System.Text;
using Google.Protobuf;
using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Wire;
using Im.Protocol;

namespace Im.LoadGenerator.Clients;

internal sealed partial class Device
{
    private const byte RoomIdTag = (1 << 3) | 2;
    private const byte FirstRoomSeqTag = 4 << 3;
    private const byte RoomMessageTag = (5 << 3) | 2;

    private static ReadOnlySpan<byte> RoomPushTag => [0x8A, 0x01];

    public void Subscribe(Conversation room) =>
        Write(new ClientPacket { RequestId = 3, SubscribeRoom = new SubscribeRoom { RoomId = room.Id } });

    // ServerPacket { 8A 01 len RoomPush { 0A room id, 12 epoch, 18 priority, 20 first seq, { 2A message }* } }; a message ends with its text.
    private bool TryReadRoomPush(ReadOnlySpan<byte> bytes)
    {
        var at = 2;
        if (!bytes.StartsWith(RoomPushTag) || !Varint.TryRead(bytes, ref at, out _))
        {
            return false;
        }

        ReadOnlySpan<byte> room = default;
        long seq = 0;
        while (at < bytes.Length)
        {
            var tag = bytes[at++];
            if (!Varint.TryRead(bytes, ref at, out var value))
            {
                throw new InvalidDataException("A room push ends within a field.");
            }

            switch (tag)
            {
                case RoomIdTag:
                    room = bytes.Slice(at, (int)value);
                    break;
                case FirstRoomSeqTag:
                    seq = (long)value;
                    BeginRoomPush(room, seq, bytes.Length);
                    break;
                case RoomMessageTag:
                    OnRoomMessage(room, seq++, bytes.Slice(at, (int)value));
                    break;
            }

            at += (tag & 7) == 2 ? (int)value : 0;
        }

        return true;
    }

    private void OnRoomPush(RoomPush push)
    {
        var room = Encoding.UTF8.GetBytes(push.RoomId);
        BeginRoomPush(room, push.FirstRoomSeq, push.CalculateSize());
        for (var i = 0; i < push.Messages.Count; i++)
        {
            OnRoomMessage(room, push.FirstRoomSeq + i, push.Messages[i].ToByteArray());
        }
    }

    // What is missing before it was dropped, and is counted as lost in the end.
    private void BeginRoomPush(ReadOnlySpan<byte> room, long first, int bytes)
    {
        _ledger.LargestPushBytes = Math.Max(_ledger.LargestPushBytes, bytes);
        _pushed = FindPlace(room);
        _isStrangers = _pushed is null;
        _next = first;
    }

    private void OnRoomMessage(ReadOnlySpan<byte> room, long seq, ReadOnlySpan<byte> message)
    {
        var hasStamp = message.Length >= Stamp.Bytes;
        OnEntry(new EntryView
        {
            Conversation = room,
            Seq = seq,
            Bytes = message,
            Run = hasStamp ? MemoryMarshal.Read<ulong>(message[^16..]) : 0,
            Number = hasStamp ? MemoryMarshal.Read<ulong>(message[^8..]) : 0,
        });
    }
}
