using System.Globalization;
using System.Text;
using Im.Protocol;
using Im.Rooms;

namespace Im.Storage.Redis.Internal;

/// <summary>What room-publish.lua publishes: <c>epoch priority firstSeq length,length,…\n</c> and the messages one after the other.</summary>
internal static class RoomMessages
{
    public static RoomBatch? TryRead(string roomId, byte[] data)
    {
        var end = data.AsSpan().IndexOf((byte)'\n');
        if (end < 0)
        {
            return null;
        }

        var header = Encoding.ASCII.GetString(data, 0, end).Split(' ');
        if (header.Length != 4
            || !int.TryParse(header[1], CultureInfo.InvariantCulture, out var priority)
            || !long.TryParse(header[2], CultureInfo.InvariantCulture, out var firstSeq))
        {
            return null;
        }

        var messages = new List<ReadOnlyMemory<byte>>();
        var start = end + 1;
        foreach (var text in header[3].Split(','))
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > data.Length - start)
            {
                return null;
            }

            messages.Add(data.AsMemory(start, length));
            start += length;
        }

        return start == data.Length ? new RoomBatch(roomId, header[0], (RoomPriority)priority, firstSeq, messages) : null;
    }
}
