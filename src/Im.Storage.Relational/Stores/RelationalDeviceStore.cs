using Im.Devices;
using Im.Timelines;

namespace Im.Storage.Relational.Stores;

/// <summary>Devices and their acks in a relational database.</summary>
internal sealed class RelationalDeviceStore(RelationalLanes lanes) : IDeviceStore
{
    // Device ids are the clients' to choose: the devices that signed in longest ago are forgotten, with their acks.
    private const int MaxDevicesPerUser = 200;

    private const string AckText =
        "SELECT seq FROM im_device_acks WHERE user_id = @p1 AND device_id = @p2 AND kind = @p3 AND timeline_id = @p4";

    public ValueTask SaveAsync(ImDevice device, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new(lanes.Write.WriteAsync(
            session =>
            {
                Save(session, device);
                return true;
            },
            cancellationToken));
    }

    public ValueTask<IReadOnlyList<ImDevice>> ListAsync(string userId, CancellationToken cancellationToken) => new(
        lanes.Read.ReadAsync<IReadOnlyList<ImDevice>>(
            session =>
            {
                var devices = List(session, userId);
                devices.Sort(static (x, y) => string.CompareOrdinal(x.DeviceId, y.DeviceId));
                return devices;
            },
            cancellationToken));

    public ValueTask AckAsync(IReadOnlyList<DeviceTimelineAck> acks, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(acks);
        return new(lanes.Write.WriteAsync(
            session =>
            {
                Ack(session, acks);
                return true;
            },
            cancellationToken));
    }

    public ValueTask<long> GetAckAsync(string userId, string deviceId, TimelineKey timeline, CancellationToken cancellationToken) => new(
        lanes.Read.ReadAsync(
            session =>
            {
                var statement = session.Prepare(AckText).AddId(userId).AddId(deviceId).Add((long)timeline.Kind).AddId(timeline.Id);
                var seq = statement.Read() ? statement.GetInt64(0) : 0;
                statement.Clear();
                return seq;
            },
            cancellationToken));

    private static void Save(SqlSession session, ImDevice device)
    {
        var writer = session.Writer(Tables.Devices);
        writer.AddId(device.UserId);
        writer.AddId(device.DeviceId);
        writer.AddText(device.Type);
        writer.AddText(device.Brand);
        writer.AddText(device.Model);
        writer.AddText(device.Os);
        writer.AddText(device.ClientVersion);
        writer.Add(device.LastSignInMs);
        writer.EndRow();
        writer.Flush();

        var count = session.Prepare("SELECT COUNT(*) FROM im_devices WHERE user_id = @p1").AddId(device.UserId);
        var tooMany = count.Read() ? count.GetInt64(0) - MaxDevicesPerUser : 0;
        count.Clear();
        if (tooMany > 0)
        {
            foreach (var oldest in List(session, device.UserId).Where(other => other.DeviceId != device.DeviceId)
                .OrderBy(other => other.LastSignInMs).Take((int)tooMany))
            {
                Forget(session, oldest);
            }
        }
    }

    private static List<ImDevice> List(SqlSession session, string userId)
    {
        var devices = new List<ImDevice>();
        var statement = session.Prepare(
            "SELECT device_id, type, brand, model, os, client_version, last_sign_in_ms FROM im_devices WHERE user_id = @p1 ORDER BY device_id");
        statement.AddId(userId);
        while (statement.Read())
        {
            devices.Add(new ImDevice
            {
                UserId = userId,
                DeviceId = statement.GetId(0),
                Type = statement.GetText(1),
                Brand = statement.GetText(2),
                Model = statement.GetText(3),
                Os = statement.GetText(4),
                ClientVersion = statement.GetText(5),
                LastSignInMs = statement.GetInt64(6),
            });
        }

        return devices;
    }

    /// <summary>Bounded by the heads, and nothing is kept for a timeline without entries: made-up names cost no rows.</summary>
    private static void Ack(SqlSession session, IReadOnlyList<DeviceTimelineAck> acks)
    {
        var timelines = new TimelineKey[acks.Count];
        for (var i = 0; i < timelines.Length; i++)
        {
            timelines[i] = acks[i].Timeline;
        }

        var heads = HeadRows.Read(session, timelines);
        var highest = new Dictionary<(string User, string Device, int Kind, string Id), long>();
        for (var i = 0; i < heads.Length; i++)
        {
            var seq = Math.Min(acks[i].Seq, heads[i].Head);
            var key = (acks[i].UserId, acks[i].DeviceId, (int)acks[i].Timeline.Kind, acks[i].Timeline.Id);
            if (seq > highest.GetValueOrDefault(key))
            {
                highest[key] = seq;
            }
        }

        var writer = session.Writer(Tables.DeviceAcks);
        foreach (var (key, seq) in highest.OrderBy(pair => pair.Key.User, StringComparer.Ordinal).ThenBy(pair => pair.Key.Device, StringComparer.Ordinal)
            .ThenBy(pair => pair.Key.Kind).ThenBy(pair => pair.Key.Id, StringComparer.Ordinal))
        {
            writer.AddId(key.User);
            writer.AddId(key.Device);
            writer.Add((long)key.Kind);
            writer.AddId(key.Id);
            writer.Add(seq);
            writer.EndRow();
        }

        writer.Flush();
    }

    private static void Forget(SqlSession session, ImDevice device)
    {
        session.Prepare("DELETE FROM im_devices WHERE user_id = @p1 AND device_id = @p2")
            .AddId(device.UserId).AddId(device.DeviceId).Execute();
        session.Prepare("DELETE FROM im_device_acks WHERE user_id = @p1 AND device_id = @p2")
            .AddId(device.UserId).AddId(device.DeviceId).Execute();
    }
}
