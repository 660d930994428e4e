using Im.Devices;
using Im.Storage;
using Im.Storage.InMemory;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.Support;

/// <summary>The in-memory stores with the troubles of a database: a test says when they fail, and how.</summary>
internal sealed class TroubledStorage(InMemoryState state)
{
    private volatile ImStorageException? _writes;
    private volatile ImStorageException? _reads;
    private int _appends;
    private int _failedReads;

    public InMemoryState State => state;

    /// <summary>What every write throws; null = they work.</summary>
    public ImStorageException? WritesFail
    {
        get => _writes;
        set => _writes = value;
    }

    /// <summary>What every read throws; null = they work.</summary>
    public ImStorageException? ReadsFail
    {
        get => _reads;
        set => _reads = value;
    }

    /// <summary>Asked before each append: what it throws instead of appending.</summary>
    public Func<AppendBatch, Exception?>? BeforeAppend { get; set; }

    /// <summary>Asked after each append: what it throws though all is committed.</summary>
    public Func<AppendBatch, Exception?>? AfterAppend { get; set; }

    /// <summary>Only the probe fails.</summary>
    public bool ProbeFails { get; set; }

    public int Appends => Volatile.Read(ref _appends);

    public int FailedReads => Volatile.Read(ref _failedReads);

    /// <summary>Everything fails.</summary>
    public void GoDown() => ReadsFail = WritesFail = new ImStorageException("The test's database is down.");

    /// <summary>Everything works.</summary>
    public void ComeBack() => ReadsFail = WritesFail = null;

    public static void Use(IImServerBuilder im)
    {
        im.Services.AddSingleton(services => new TroubledStorage(services.GetRequiredService<InMemoryState>()));
        im.Services.AddSingleton<IMessageStore>(services => new Messages(services.GetRequiredService<TroubledStorage>()));
        im.Services.AddSingleton<IConversationStore>(services => new Conversations(services.GetRequiredService<TroubledStorage>()));
        im.Services.AddSingleton<IGroupStore>(services => new Groups(services.GetRequiredService<TroubledStorage>()));
        im.Services.AddSingleton<IDeviceStore>(services => new Devices(services.GetRequiredService<TroubledStorage>()));
        im.Services.AddSingleton<IStorageProbe>(services => new Probe(services.GetRequiredService<TroubledStorage>()));
        im.Services.AddSingleton<IRetentionStore>(services => new InMemoryRetentionStore(services.GetRequiredService<InMemoryState>()));
        im.Services.AddSingleton<IUserDataStore>(services => new InMemoryUserDataStore(services.GetRequiredService<InMemoryState>()));
    }

    // A real store answers later, on another thread.
    private async ValueTask<T> ReadAsync<T>(Func<ValueTask<T>> read)
    {
        await Task.Yield();
        if (ReadsFail is { } failure)
        {
            Interlocked.Increment(ref _failedReads);
            throw failure;
        }

        return await read();
    }

    private async ValueTask WriteAsync(Func<ValueTask> write)
    {
        await Task.Yield();
        if (WritesFail is { } failure)
        {
            throw failure;
        }

        await write();
    }

    private sealed class Messages(TroubledStorage trouble) : IMessageStore
    {
        private readonly InMemoryMessageStore _inner = new(trouble.State);

        public ValueTask<string> GetGenerationAsync(CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.GetGenerationAsync(cancellationToken));

        public ValueTask<long> GetLastBatchNumberAsync(string nodeName, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.GetLastBatchNumberAsync(nodeName, cancellationToken));

        public async ValueTask<AppendResult> AppendAsync(AppendBatch batch, CancellationToken cancellationToken)
        {
            await Task.Yield();
            Interlocked.Increment(ref trouble._appends);
            if ((trouble.WritesFail ?? trouble.BeforeAppend?.Invoke(batch)) is { } before)
            {
                throw before;
            }

            var result = await _inner.AppendAsync(batch, cancellationToken);
            return trouble.AfterAppend?.Invoke(batch) is { } after ? throw after : result;
        }

        public ValueTask<IReadOnlyList<SentMessage?>> FindSentAsync(IReadOnlyList<SentKey> keys, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.FindSentAsync(keys, cancellationToken));

        public ValueTask<IReadOnlyList<TimelineHead>> GetHeadsAsync(IReadOnlyList<TimelineKey> timelines, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.GetHeadsAsync(timelines, cancellationToken));

        public ValueTask<IReadOnlyList<InboxPage>> ReadInboxesAsync(IReadOnlyList<InboxRead> reads, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.ReadInboxesAsync(reads, cancellationToken));

        public ValueTask<IReadOnlyList<StoredEntry>> ReadEntriesAsync(IReadOnlyList<Run> runs, int maxBytes, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.ReadEntriesAsync(runs, maxBytes, cancellationToken));
    }

    private sealed class Conversations(TroubledStorage trouble) : IConversationStore
    {
        private readonly InMemoryConversationStore _inner = new(trouble.State);

        public ValueTask<IReadOnlyList<Membership>> GetMembershipsAsync(string userId, string conversationId, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.GetMembershipsAsync(userId, conversationId, cancellationToken));

        public ValueTask<IReadOnlyList<ReadTimeline>> GetReadTimelinesAsync(
            string userId, IReadOnlyList<string> known, InboxSeq after, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.GetReadTimelinesAsync(userId, known, after, cancellationToken));

        public ValueTask<IReadOnlyList<UserConversation>> ListAsync(
            string userId, string? afterConversationId, int limit, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.ListAsync(userId, afterConversationId, limit, cancellationToken));

        public ValueTask<IReadOnlyList<UserConversation?>> GetAsync(
            string userId, IReadOnlyList<string> conversationIds, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.GetAsync(userId, conversationIds, cancellationToken));

        public ValueTask<InboxSnapshot> GetSnapshotAsync(string userId, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.GetSnapshotAsync(userId, cancellationToken));
    }

    private sealed class Groups(TroubledStorage trouble) : IGroupStore
    {
        private readonly InMemoryGroupStore _inner = new(trouble.State);

        public ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(
            IReadOnlyList<string> conversationIds, int maxMembers, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.GetGroupsAsync(conversationIds, maxMembers, cancellationToken));

        public ValueTask<FoundMembers?> FindMembersAsync(string conversationId, IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.FindMembersAsync(conversationId, userIds, cancellationToken));

        public ValueTask<MemberPage?> ReadMembersAsync(string conversationId, string? afterUserId, int limit, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.ReadMembersAsync(conversationId, afterUserId, limit, cancellationToken));
    }

    private sealed class Devices(TroubledStorage trouble) : IDeviceStore
    {
        private readonly InMemoryDeviceStore _inner = new(trouble.State);

        public ValueTask SaveAsync(ImDevice device, CancellationToken cancellationToken) =>
            trouble.WriteAsync(() => _inner.SaveAsync(device, cancellationToken));

        public ValueTask<IReadOnlyList<ImDevice>> ListAsync(string userId, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.ListAsync(userId, cancellationToken));

        public ValueTask AckAsync(IReadOnlyList<DeviceTimelineAck> acks, CancellationToken cancellationToken) =>
            trouble.WriteAsync(() => _inner.AckAsync(acks, cancellationToken));

        public ValueTask<long> GetAckAsync(string userId, string deviceId, TimelineKey timeline, CancellationToken cancellationToken) =>
            trouble.ReadAsync(() => _inner.GetAckAsync(userId, deviceId, timeline, cancellationToken));
    }

    private sealed class Probe(TroubledStorage trouble) : IStorageProbe
    {
        public ValueTask ProbeAsync(CancellationToken cancellationToken) => trouble.WriteAsync(
            () => trouble.ProbeFails ? throw new ImStorageException("The test says so.") : ValueTask.CompletedTask);
    }
}
