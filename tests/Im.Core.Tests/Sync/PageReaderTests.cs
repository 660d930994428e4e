using Google.Protobuf;
using Im.Diagnostics;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Sync;
using Im.Timelines;
using Microsoft.Extensions.Options;

namespace Im.Core.Tests.Sync;

public sealed class PageReaderTests
{
    private readonly RecentEntries _recent = new(1_000_000);
    private readonly TestTime _time = new();
    private readonly Store _store = new();

    // After a restart all members of a group come back at once and read the same entries.
    [Fact]
    public async Task EqualEntriesAreReadOnceHoweverTheRunsAreCut()
    {
        var reader = Create();

        var first = await ReadAsync(reader, R("g:a", 5, 5), R("d:3:ann:bob", 3, 1), R("g:a", 10, 3));
        var second = await ReadAsync(reader, R("g:a", 5, 3), R("g:a", 8, 5));

        Assert.Equal(["g:a 5+5", "d:3:ann:bob 3+1", "g:a 10+3"], _store.Asked);
        Assert.Equal(["g:a 5", "g:a 6", "g:a 7", "g:a 8", "g:a 9", "d:3:ann:bob 3", "g:a 10", "g:a 11", "g:a 12"], first);
        Assert.Equal(["g:a 5", "g:a 6", "g:a 7", "g:a 8", "g:a 9", "g:a 10", "g:a 11", "g:a 12"], second);
    }

    [Fact]
    public async Task OnlyWhatIsMissingIsReadAndThePageKeepsItsOrder()
    {
        var reader = Create();
        _recent.Add(EncodedRun.Create([Store.Entry("g:a", 1), Store.Entry("g:a", 2)]));

        var page = await ReadAsync(reader, R("d:3:ann:bob", 1, 2), R("g:a", 1, 4), R("d:3:ann:bob", 3, 1));

        Assert.Equal(["d:3:ann:bob 1+2", "g:a 3+2", "d:3:ann:bob 3+1"], _store.Asked);
        Assert.Equal(["d:3:ann:bob 1", "d:3:ann:bob 2", "g:a 1", "g:a 2", "g:a 3", "g:a 4", "d:3:ann:bob 3"], page);
    }

    // A page is bounded in bytes, and what follows a part that the store did not return does not jump over it.
    [Fact]
    public async Task APageEndsWhereTheStoreEnds()
    {
        var reader = Create(options => options.MaxPageBytes = 1024);
        _recent.Add(EncodedRun.Create([Store.Entry("g:a", 9)]));
        _store.MaxEntries = 2;

        Assert.Equal(["d:3:ann:bob 1", "d:3:ann:bob 2"], await ReadAsync(reader, R("d:3:ann:bob", 1, 5), R("g:a", 9, 1)));
        Assert.True(_store.MaxBytes is > 0 and < 1024);
    }

    [Fact]
    public async Task WhatIsForgottenOrOldIsReadAgain()
    {
        var reader = Create();
        await ReadAsync(reader, R("g:a", 1, 1), R("g:b", 1, 1));
        reader.Forget(["g:a"]);
        await ReadAsync(reader, R("g:a", 1, 1), R("g:b", 1, 1));
        _time.Now += TimeSpan.FromMinutes(1);
        await ReadAsync(reader, R("g:a", 1, 1), R("g:b", 1, 1));

        Assert.Equal(["g:a 1+1", "g:b 1+1", "g:a 1+1", "g:a 1+1", "g:b 1+1"], _store.Asked);
    }

    [Fact]
    public async Task MemoryIsBounded()
    {
        var reader = Create(options => options.RecentEntriesBytes = 4 * 1000);
        for (var i = 1; i <= 20; i++)
        {
            await ReadAsync(reader, R("g:a", i, 1));
        }

        _store.Asked.Clear();
        await ReadAsync(reader, R("g:a", 20, 1));
        Assert.Empty(_store.Asked);
        await ReadAsync(reader, R("g:a", 1, 1));
        Assert.Equal(["g:a 1+1"], _store.Asked);
    }

    private static Run R(string conversationId, long first, int count) => new(conversationId, new ConversationSeq(first), count);

    private PageReader Create(Action<ImServerOptions>? configure = null)
    {
        var options = new ImServerOptions();
        configure?.Invoke(options);
        return new PageReader(_store, _recent, new ImMetrics(), _time, Options.Create(options));
    }

    /// <summary>The entries of the page, as a client would read them.</summary>
    private static async Task<string[]> ReadAsync(PageReader reader, params Run[] runs)
    {
        var payload = await reader.ReadAsync(runs, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        var bytes = payload!.Get(ImCodec.Protobuf).Parts.SelectMany(part => part.ToArray()).ToArray();
        var push = Push.Parser.ParseFrom(bytes);
        Assert.Equal(payload.Count, push.Entries.Count);
        return [.. push.Entries.Select(entry => $"{entry.ConversationId} {entry.ConversationSeq}")];
    }

    private sealed class TestTime : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }

    private sealed class Store : IMessageStore
    {
        public List<string> Asked { get; } = [];

        public int MaxEntries { get; set; } = int.MaxValue;

        public int MaxBytes { get; private set; }

        public static StoredEntry Entry(string conversationId, long seq) => new()
        {
            ConversationId = conversationId,
            Seq = new ConversationSeq(seq),
            Ordinal = seq,
            SenderId = "ann",
            ClientMessageId = $"{seq}",
            TimeMs = 1,
            Kind = EntryKind.Message,
            Body = new Entry { Content = new Content { Text = "text" } }.ToByteArray(),
        };

        public ValueTask<IReadOnlyList<StoredEntry>> ReadEntriesAsync(IReadOnlyList<Run> runs, int maxBytes, CancellationToken cancellationToken)
        {
            MaxBytes = maxBytes;
            Asked.AddRange(runs.Select(run => $"{run.ConversationId} {run.First}+{run.Count}"));
            return new(
                runs.SelectMany(run => Enumerable.Range(0, run.Count).Select(i => Entry(run.ConversationId, run.First.Value + i))).Take(MaxEntries).ToArray());
        }

        public ValueTask<string> GetGenerationAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<long> GetLastBatchNumberAsync(string nodeName, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<AppendResult> AppendAsync(AppendBatch batch, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<SentMessage?>> FindSentAsync(IReadOnlyList<SentKey> keys, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<IReadOnlyList<TimelineHead>> GetHeadsAsync(IReadOnlyList<TimelineKey> timelines, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<IReadOnlyList<InboxPage>> ReadInboxesAsync(IReadOnlyList<InboxRead> reads, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
