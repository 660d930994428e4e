using System.Diagnostics.Metrics;
using Im.Cluster;
using Im.Connections;
using Im.Model;
using Im.Protocol;
using Im.Rooms;
using Im.Rooms.InMemory;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Im.Core.Tests.Rooms;

/// <summary>A node without transports; several share the rooms that they are given. Its store can be made to fail, and to lose batches.</summary>
internal sealed class RoomNode : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly IHost _host;
    private readonly MeterListener _listener = new();
    private long _dropped;

    private RoomNode(IHost host, TroubledRoomStore store)
    {
        _host = host;
        Store = store;
        var factory = host.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "im.rooms.dropped" && instrument.Meter.Scope == factory)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, count, _, _) => Interlocked.Add(ref _dropped, count));
        _listener.Start();
    }

    public TroubledRoomStore Store { get; }

    public long Dropped => Interlocked.Read(ref _dropped);

    public ConnectionRegistry Connections => _host.Services.GetRequiredService<ConnectionRegistry>();

    public RoomRegistry Rooms => _host.Services.GetRequiredService<RoomRegistry>();

    public IImRooms Im => _host.Services.GetRequiredService<IImServer>().Rooms;

    public static async Task<RoomNode> StartAsync(InMemoryRooms? rooms = null, Action<ImRoomOptions>? configure = null, IRoomPolicy? policy = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var store = new TroubledRoomStore(new InMemoryRoomStore(rooms ?? new InMemoryRooms(TimeProvider.System)));
        builder.Services.AddSingleton<IRoomStore>(store);
        builder.Services.AddImServer(options => options.MaxSendsPerSecond = 1_000_000).AddUserProvider<AnyUsers>().AllowAllRooms().UseRooms(configure ?? (_ => { }));
        if (policy is not null)
        {
            builder.Services.AddSingleton(policy);
        }

        var node = new RoomNode(builder.Build(), store);
        await node._host.StartAsync().WaitAsync(Patience);
        return node;
    }

    public Task<int> CountAsync(string room) => Im.CountSubscribersAsync(room).AsTask().WaitAsync(Patience);

    public Task<IReadOnlyList<RoomPosition>> SendAsync(string room, RoomPriority priority, params string[] texts) => Im
        .SendAsync(room, [.. texts.Select(text => new OutgoingRoomMessage { SenderId = "$test", Content = MessageContent.FromText(text) })], priority)
        .AsTask().WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync().WaitAsync(Patience);
        _host.Dispose();
        _listener.Dispose();
    }

    private sealed class AnyUsers : IUserProvider
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AuthenticationResult.Success(request.Token));

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Select(userId => new ImUser(userId))]);
    }
}

/// <summary>The in-memory store, as it would be with a bad network.</summary>
internal sealed class TroubledRoomStore(IRoomStore store) : IRoomStore
{
    private int _listens;
    private int _reads;

    /// <summary>Everything fails.</summary>
    public volatile bool IsDown;

    /// <summary>What is published is numbered, and does not arrive here.</summary>
    public volatile bool LosesBatches;

    /// <summary>Awaited before it listens.</summary>
    public Func<Task>? BeforeListen { get; set; }

    /// <summary>Awaited before a read.</summary>
    public Func<Task>? BeforeRead { get; set; }

    /// <summary>Awaited before a publish.</summary>
    public Func<Task>? BeforePublish { get; set; }

    public int Listens => Volatile.Read(ref _listens);

    public int Reads => Volatile.Read(ref _reads);

    public Action<RoomBatch> Receive { get; private set; } = _ => { };

    public ValueTask StartAsync(Action<RoomBatch> receive, CancellationToken cancellationToken)
    {
        Receive = receive;
        return store.StartAsync(
            batch =>
            {
                if (!LosesBatches)
                {
                    receive(batch);
                }
            },
            cancellationToken);
    }

    public async ValueTask<RoomPosition> PublishAsync(
        string roomId, RoomPriority priority, IReadOnlyList<ReadOnlyMemory<byte>> messages, RoomReplayLimits keep, CancellationToken cancellationToken)
    {
        ThrowIfDown();
        await (BeforePublish?.Invoke() ?? Task.CompletedTask);
        return await store.PublishAsync(roomId, priority, messages, keep, cancellationToken);
    }

    public async ValueTask ListenAsync(string roomId, CancellationToken cancellationToken)
    {
        ThrowIfDown();
        Interlocked.Increment(ref _listens);
        await (BeforeListen?.Invoke() ?? Task.CompletedTask);
        await store.ListenAsync(roomId, cancellationToken);
    }

    public ValueTask StopListeningAsync(string roomId, CancellationToken cancellationToken)
    {
        ThrowIfDown();
        return store.StopListeningAsync(roomId, cancellationToken);
    }

    public async ValueTask<RoomReplay> ReadAsync(
        string roomId, RoomPriority priority, long afterSeq, int limit, long notBeforeMs, CancellationToken cancellationToken)
    {
        ThrowIfDown();
        Interlocked.Increment(ref _reads);
        await (BeforeRead?.Invoke() ?? Task.CompletedTask);
        return await store.ReadAsync(roomId, priority, afterSeq, limit, notBeforeMs, cancellationToken);
    }

    private void ThrowIfDown()
    {
        if (IsDown)
        {
            throw new ImClusterException("down");
        }
    }
}
