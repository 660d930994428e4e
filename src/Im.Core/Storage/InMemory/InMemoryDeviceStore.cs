using Im.Devices;
using Im.Timelines;

namespace Im.Storage.InMemory;

/// <summary>Devices and their acks, in memory.</summary>
internal sealed class InMemoryDeviceStore : IDeviceStore
{
    // Device ids are the clients' to choose: the devices that signed in longest ago are forgotten, with their acks.
    private const int MaxDevicesPerUser = 200;

    private readonly InMemoryState _state;

    internal InMemoryDeviceStore(InMemoryState state) => _state = state;

    public ValueTask SaveAsync(ImDevice device, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        lock (_state.Gate)
        {
            var user = _state.GetOrAddUser(device.UserId);
            if (!user.Devices.ContainsKey(device.DeviceId) && user.Devices.Count >= MaxDevicesPerUser)
            {
                Forget(user, user.Devices.Values.MinBy(other => other.LastSignInMs)!.DeviceId);
            }

            user.Devices[device.DeviceId] = device;
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<ImDevice>> ListAsync(string userId, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<ImDevice>>(cancellationToken);
        }

        lock (_state.Gate)
        {
            IReadOnlyList<ImDevice> devices = _state.Users.TryGetValue(userId, out var user) ? [.. user.Devices.Values] : [];
            return new ValueTask<IReadOnlyList<ImDevice>>(devices);
        }
    }

    public ValueTask AckAsync(IReadOnlyList<DeviceTimelineAck> acks, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(acks);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        lock (_state.Gate)
        {
            foreach (var ack in acks)
            {
                // Bounded by the head, and nothing is kept for a timeline without entries: made-up names cost no memory.
                var seq = Math.Min(ack.Seq, _state.HeadOf(ack.Timeline).Head);
                if (seq <= 0)
                {
                    continue;
                }

                var kept = _state.GetOrAddUser(ack.UserId).Acks;
                var key = (ack.DeviceId, ack.Timeline);
                if (seq > kept.GetValueOrDefault(key))
                {
                    kept[key] = seq;
                }
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<long> GetAckAsync(string userId, string deviceId, TimelineKey timeline, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<long>(cancellationToken);
        }

        lock (_state.Gate)
        {
            var ack = _state.Users.TryGetValue(userId, out var user) ? user.Acks.GetValueOrDefault((deviceId, timeline)) : 0;
            return new ValueTask<long>(ack);
        }
    }

    private static void Forget(UserState user, string deviceId)
    {
        user.Devices.Remove(deviceId);
        foreach (var key in user.Acks.Keys.Where(key => key.DeviceId == deviceId).ToArray())
        {
            user.Acks.Remove(key);
        }
    }
}
