using Im.Protocol;

namespace Im.Core.Tests.Rooms;

/// <summary>Checks what one device reads: only of rooms that it is in, in order, each seq once; and keeps it for a comparison with what was sent.</summary>
internal sealed class RoomWatch
{
    private readonly Dictionary<string, Subscription> _rooms = new(StringComparer.Ordinal);
    private readonly Dictionary<uint, SubscribeRoom> _asked = [];

    /// <summary>Everything that was read.</summary>
    public List<(string Room, RoomPriority Priority, long Seq, string Text)> Read { get; } = [];

    /// <summary>How many messages the seqs say are missing.</summary>
    public long Missing { get; private set; }

    public IReadOnlyCollection<string> Rooms => _rooms.Keys;

    public void Asked(uint requestId, SubscribeRoom request) => _asked.Add(requestId, request);

    /// <summary>Where a room goes on; null where the device is not in it.</summary>
    public (string Epoch, long Normal, long High)? Position(string room) =>
        _rooms.TryGetValue(room, out var now) ? (now.Epoch, now.Next(RoomPriority.Normal) - 1, now.Next(RoomPriority.High) - 1) : null;

    public void Disconnected()
    {
        _rooms.Clear();
        _asked.Clear();
    }

    /// <param name="packets">What was read in one go.</param>
    /// <param name="isQuiet">Nothing was published meanwhile: then high messages stand before normal ones.</param>
    /// <param name="keep">How many messages a room keeps.</param>
    public void Take(IEnumerable<ServerPacket> packets, bool isQuiet, int keep)
    {
        var sawNormal = false;
        foreach (var packet in packets)
        {
            switch (packet.PacketCase)
            {
                case ServerPacket.PacketOneofCase.RoomSubscribed:
                    var request = _asked[packet.RequestId];
                    if (request.LeaveOthers)
                    {
                        _rooms.Clear();
                    }

                    _rooms[request.RoomId] = new Subscription(request, packet.RoomSubscribed, keep);
                    sawNormal = false;
                    break;
                case ServerPacket.PacketOneofCase.RoomLeft:
                    _rooms.Remove(packet.RoomLeft.RoomId);
                    break;
                case ServerPacket.PacketOneofCase.RoomPush:
                    Assert.False(isQuiet && sawNormal && packet.RoomPush.Priority == RoomPriority.High, "A high message stands behind a normal one.");
                    sawNormal |= packet.RoomPush.Priority == RoomPriority.Normal;
                    Take(packet.RoomPush);
                    break;
                default:
                    Assert.Fail($"Unexpected: {packet}");
                    break;
            }
        }
    }

    private void Take(RoomPush push)
    {
        Assert.True(_rooms.TryGetValue(push.RoomId, out var room), $"A push of {push.RoomId}, which the device is not in.");
        Assert.Equal(room.Epoch.Length == 0 ? push.Epoch : room.Epoch, push.Epoch);
        Missing += room.Advance(push);
        Read.AddRange(push.Messages.Select((message, i) => (push.RoomId, push.Priority, push.FirstRoomSeq + i, message.Content.Text)));
    }

    private sealed class Subscription
    {
        private long _normal;
        private long _high;

        public Subscription(SubscribeRoom request, RoomSubscribed answer, int keep)
        {
            Epoch = answer.Epoch;
            _normal = FirstOf(RoomPriority.Normal);
            _high = FirstOf(RoomPriority.High);

            long FirstOf(RoomPriority priority)
            {
                var head = answer.Head(priority);
                var cursor = request.Epoch == answer.Epoch ? request.Cursors.FirstOrDefault(cursor => cursor.Priority == priority) : null;
                return cursor is null ? Math.Max(1, head - Math.Min(keep, request.ReplayMessages) + 1) : Math.Max(cursor.RoomSeq + 1, head - keep + 1);
            }
        }

        public string Epoch { get; }

        public long Next(RoomPriority priority) => priority == RoomPriority.High ? _high : _normal;

        // Returns how many are missing before the push.
        public long Advance(RoomPush push)
        {
            ref var next = ref push.Priority == RoomPriority.High ? ref _high : ref _normal;
            Assert.True(push.FirstRoomSeq >= next, $"{push.RoomId}: {push.FirstRoomSeq} where {next} is next.");
            var missing = push.FirstRoomSeq - next;
            next = push.FirstRoomSeq + push.Messages.Count;
            return missing;
        }
    }
}
