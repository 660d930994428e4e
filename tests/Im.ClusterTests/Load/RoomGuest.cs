using System.Collections.Concurrent;
using Im.Client;
using Im.ClusterTests.Cluster;
using Im.Protocol;

namespace Im.ClusterTests.Load;

/// <summary>A device in a room, which notes what comes while it reads.</summary>
internal sealed class RoomGuest : IAsyncDisposable
{
    private readonly ConcurrentQueue<(RoomPriority Priority, long Seq)> _got = new();
    private readonly ConcurrentQueue<ImRoomGapEvent> _gaps = new();
    private readonly TaskCompletionSource _mayRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;
    private int _count;

    private RoomGuest(string userId, NodeProcess node, bool reads)
    {
        Client = new ImClient(new ImClientOptions
        {
            Server = node.Address,
            DeviceId = "d",
            TokenProvider = _ => ValueTask.FromResult(userId),

            // Who does not read lets its connection rest soon.
            EventBufferSize = reads ? 1024 : 4,
        });
        if (reads)
        {
            Read();
        }

        _reading = ReadAsync();
    }

    public ImClient Client { get; }

    /// <summary>How many messages it has.</summary>
    public int Count => Volatile.Read(ref _count);

    public IReadOnlyList<(RoomPriority Priority, long Seq)> Got => [.. _got];

    public IReadOnlyList<ImRoomGapEvent> Gaps => [.. _gaps];

    public static async Task<RoomGuest> EnterAsync(string userId, NodeProcess node, string roomId, int replay = 0, bool reads = true)
    {
        var guest = new RoomGuest(userId, node, reads);
        await guest.Client.ConnectAsync().WaitAsync(TimeSpan.FromSeconds(30));
        await guest.Client.SubscribeRoomAsync(roomId, new ImRoomSubscription { ReplayMessages = replay }).WaitAsync(TimeSpan.FromSeconds(30));
        return guest;
    }

    /// <summary>From now on it reads.</summary>
    public void Read() => _mayRead.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Read();
        await _reading.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private async Task ReadAsync()
    {
        await _mayRead.Task;
        await foreach (var received in Client.ReadAsync())
        {
            if (received is ImRoomMessageEvent message)
            {
                _got.Enqueue((message.Priority, message.Seq));
                Interlocked.Increment(ref _count);
            }
            else if (received is ImRoomGapEvent gap)
            {
                _gaps.Enqueue(gap);
            }
        }
    }
}
