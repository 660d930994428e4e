using System.ComponentModel.DataAnnotations;

namespace Im;

/// <summary>Limits and intervals of rooms; each has a default. Validated at start, all errors at once.</summary>
public sealed class ImRoomOptions
{
    /// <summary>How many rooms one connection may subscribe to at once.</summary>
    /// <value>Default: 50.</value>
    [Range(1, 1000)]
    public int MaxRoomsPerConnection { get; set; } = 50;

    /// <summary>The longest id of a room, in bytes.</summary>
    /// <value>Default: 128.</value>
    [Range(1, 1024)]
    public int MaxRoomIdBytes { get; set; } = 128;

    /// <summary>How many of a room's newest messages of each priority are kept for those who come later.</summary>
    /// <value>Default: 100; 0 = none.</value>
    [Range(0, 10_000)]
    public int ReplayMessages { get; set; } = 100;

    /// <summary>How long they are kept. A room that nobody sends to for this long is forgotten, and counts anew.</summary>
    /// <value>Default: 120 seconds.</value>
    [TimeSpanRange("00:00:01", "24:00:00")]
    public TimeSpan ReplayAge { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How many bytes of room messages may wait for one connection. Above it the oldest normal ones are dropped.</summary>
    /// <value>Default: 256 KiB. A single larger push is queued where nothing else is.</value>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxQueueBytes { get; set; } = 256 * 1024;

    /// <summary>How many room messages may wait for one connection. Above it the oldest normal ones are dropped.</summary>
    /// <value>Default: 1,000.</value>
    [Range(1, 1_000_000)]
    public int MaxQueueMessages { get; set; } = 1000;

    /// <summary>How many messages one publish takes at most; they are one push.</summary>
    /// <value>Default: 200.</value>
    [Range(1, 10_000)]
    public int MaxBatchMessages { get; set; } = 200;

    /// <summary>How many bytes of messages one publish, or one push of a replay, takes at most.</summary>
    /// <value>Default: 64 KiB. A single larger message is a publish of its own.</value>
    [Range(1024, 1024 * 1024)]
    public int MaxBatchBytes { get; set; } = 64 * 1024;

    /// <summary>How many messages to one room and priority may wait for their publish; above it senders wait.</summary>
    /// <value>Default: 1,000.</value>
    [Range(1, 1_000_000)]
    public int MaxPendingMessages { get; set; } = 1000;

    /// <summary>How long the node goes on listening to a room that its last subscriber has left.</summary>
    /// <value>Default: 5 seconds.</value>
    [TimeSpanRange("00:00:00.010", "01:00:00")]
    public TimeSpan LingerTime { get; set; } = TimeSpan.FromSeconds(5);
}
