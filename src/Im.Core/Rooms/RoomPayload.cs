using System.Text;
using Google.Protobuf;
using Im.Protocol;
using Im.Sync;

namespace Im.Rooms;

/// <summary>Consecutive messages of a room and priority as one complete packet, encoded once for each codec and shared by all subscribers.</summary>
/// <remarks>
/// <code>
/// 8A 01 len  0A len room id  12 len epoch  18 priority  20 first seq  { 2A len message }…       8A 01 = the tag of ServerPacket.room_push
/// </code>
/// Immutable but for the JSON form, which is made when the first JSON subscriber is met; two threads may make it at once, and either is good.
/// </remarks>
internal sealed class RoomPayload
{
    private const int PacketTag = (17 << 3) | 2;
    private const byte RoomIdTag = (1 << 3) | 2;
    private const byte EpochTag = (2 << 3) | 2;
    private const byte PriorityTag = 3 << 3;
    private const byte FirstSeqTag = 4 << 3;
    private const byte MessageTag = (5 << 3) | 2;

    private readonly byte[] _protobuf;
    private byte[]? _json;

    public RoomPayload(
        Room room, int epochNumber, string epoch, RoomPriority priority, long firstSeq, IReadOnlyList<ReadOnlyMemory<byte>> messages, int skip, int count)
    {
        Room = room;
        EpochNumber = epochNumber;
        IsHigh = priority == RoomPriority.High;
        FirstSeq = firstSeq;
        Count = count;
        _protobuf = Encode(room.Id, epoch, priority, firstSeq, messages, skip, count);
    }

    private RoomPayload(RoomPayload whole, RoomPush part)
    {
        Room = whole.Room;
        EpochNumber = whole.EpochNumber;
        IsHigh = whole.IsHigh;
        FirstSeq = part.FirstRoomSeq;
        Count = part.Messages.Count;
        _protobuf = new ServerPacket { RoomPush = part }.ToByteArray();
    }

    public Room Room { get; }

    /// <summary>The room's epoch as this node counts them: a later one has a higher number.</summary>
    public int EpochNumber { get; }

    public bool IsHigh { get; }

    public long FirstSeq { get; }

    public int Count { get; }

    public long LastSeq => FirstSeq + Count - 1;

    public byte[] Get(ImCodec codec) => codec == ImCodec.Protobuf ? _protobuf : _json ??= PacketCodec.Write(ServerPacket.Parser.ParseFrom(_protobuf), ImCodec.Json);

    /// <summary>What follows on <paramref name="seq"/>, for the rare subscriber who has the first messages already.</summary>
    public RoomPayload After(long seq)
    {
        var push = ServerPacket.Parser.ParseFrom(_protobuf).RoomPush;
        var skip = (int)(seq + 1 - FirstSeq);
        push.FirstRoomSeq += skip;
        for (var i = 0; i < skip; i++)
        {
            push.Messages.RemoveAt(0);
        }

        return new RoomPayload(this, push);
    }

    private static byte[] Encode(
        string roomId, string epoch, RoomPriority priority, long firstSeq, IReadOnlyList<ReadOnlyMemory<byte>> messages, int skip, int count)
    {
        var size = MeasureString(roomId) + MeasureString(epoch) + 2 + 1 + Varint.Size((ulong)firstSeq);
        for (var i = skip; i < skip + count; i++)
        {
            size += 1 + PacketFraming.PrefixBytes(messages[i].Length) + messages[i].Length;
        }

        var bytes = GC.AllocateUninitializedArray<byte>(2 + PacketFraming.PrefixBytes(size) + size);
        var position = Varint.Write(bytes, PacketTag);
        position += PacketFraming.WritePrefix(bytes.AsSpan(position), size);
        WriteString(bytes, ref position, RoomIdTag, roomId);
        WriteString(bytes, ref position, EpochTag, epoch);
        bytes[position++] = PriorityTag;
        bytes[position++] = (byte)priority;
        bytes[position++] = FirstSeqTag;
        position += Varint.Write(bytes.AsSpan(position), (ulong)firstSeq);
        for (var i = skip; i < skip + count; i++)
        {
            bytes[position++] = MessageTag;
            position += PacketFraming.WritePrefix(bytes.AsSpan(position), messages[i].Length);
            messages[i].Span.CopyTo(bytes.AsSpan(position));
            position += messages[i].Length;
        }

        return bytes;
    }

    private static int MeasureString(string value)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        return bytes == 0 ? 0 : 1 + PacketFraming.PrefixBytes(bytes) + bytes;
    }

    private static void WriteString(byte[] destination, ref int position, byte tag, string value)
    {
        if (value.Length > 0)
        {
            destination[position++] = tag;
            position += PacketFraming.WritePrefix(destination.AsSpan(position), Encoding.UTF8.GetByteCount(value));
            position += Encoding.UTF8.GetBytes(value, destination.AsSpan(position));
        }
    }
}
