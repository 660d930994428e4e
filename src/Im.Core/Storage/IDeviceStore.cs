using Im.Devices;
using Im.Timelines;

namespace Im.Storage;

/// <summary>Devices and how far each has stored its timelines.</summary>
public interface IDeviceStore
{
    /// <summary>Creates or replaces a device's data; its acks stay.</summary>
    ValueTask SaveAsync(ImDevice device, CancellationToken cancellationToken);

    /// <summary>The user's devices, ordered by device id.</summary>
    ValueTask<IReadOnlyList<ImDevice>> ListAsync(string userId, CancellationToken cancellationToken);

    /// <summary>Raises acks. An ack below the one that is kept changes nothing; one beyond the head counts as the head.</summary>
    ValueTask AckAsync(IReadOnlyList<DeviceTimelineAck> acks, CancellationToken cancellationToken);

    /// <summary>How far a device has come in a timeline; 0 = nothing.</summary>
    ValueTask<long> GetAckAsync(string userId, string deviceId, TimelineKey timeline, CancellationToken cancellationToken);
}

/// <summary>A device has stored a timeline up to a seq.</summary>
public readonly record struct DeviceTimelineAck(string UserId, string DeviceId, TimelineKey Timeline, long Seq);
