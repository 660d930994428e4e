using Im.Timelines;

namespace Im.Storage.InMemory;

/// <summary>Timelines in memory. All operations complete synchronously; a cancelled token is looked at before anything is done.</summary>
internal sealed class InMemoryMessageStore : IMessageStore
{
    private readonly InMemoryState _state;

    internal InMemoryMessageStore(InMemoryState state) => _state = state;

    public ValueTask<string> GetGenerationAsync(CancellationToken cancellationToken) => cancellationToken.IsCancellationRequested
        ? ValueTask.FromCanceled<string>(cancellationToken)
        : new ValueTask<string>(_state.Generation);

    public ValueTask<long> GetLastBatchNumberAsync(string nodeName, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(nodeName);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<long>(cancellationToken);
        }

        lock (_state.Gate)
        {
            return new ValueTask<long>(_state.LastBatches.GetValueOrDefault(nodeName));
        }
    }

    public ValueTask<AppendResult> AppendAsync(AppendBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<AppendResult>(cancellationToken);
        }

        batch.Validate();
        lock (_state.Gate)
        {
            return new ValueTask<AppendResult>(new InMemoryAppend(_state, batch).Run());
        }
    }

    public ValueTask<IReadOnlyList<SentMessage?>> FindSentAsync(IReadOnlyList<SentKey> keys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<SentMessage?>>(cancellationToken);
        }

        var found = new SentMessage?[keys.Count];
        lock (_state.Gate)
        {
            _state.Sent.Trim();
            for (var i = 0; i < found.Length; i++)
            {
                if (_state.Sent.TryGet(keys[i], out var sent))
                {
                    found[i] = new SentMessage(sent.ConversationId, sent.Seq, sent.TimeMs, sent.Hash);
                }
            }
        }

        return new ValueTask<IReadOnlyList<SentMessage?>>(found);
    }

    public ValueTask<IReadOnlyList<TimelineHead>> GetHeadsAsync(IReadOnlyList<TimelineKey> timelines, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(timelines);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<TimelineHead>>(cancellationToken);
        }

        var heads = new TimelineHead[timelines.Count];
        lock (_state.Gate)
        {
            for (var i = 0; i < heads.Length; i++)
            {
                heads[i] = _state.HeadOf(timelines[i]);
            }
        }

        return new ValueTask<IReadOnlyList<TimelineHead>>(heads);
    }

    public ValueTask<IReadOnlyList<InboxPage>> ReadInboxesAsync(IReadOnlyList<InboxRead> reads, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(reads);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<InboxPage>>(cancellationToken);
        }

        foreach (var read in reads)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(read.After.Value, nameof(reads));
            ArgumentOutOfRangeException.ThrowIfLessThan(read.MaxEntries, 1, nameof(reads));
        }

        var pages = new InboxPage[reads.Count];
        lock (_state.Gate)
        {
            for (var i = 0; i < pages.Length; i++)
            {
                var read = reads[i];
                var head = _state.HeadOf(TimelineKey.Inbox(read.UserId));
                var after = Math.Max(read.After.Value, head.Floor - 1);
                var runs = _state.Users.TryGetValue(read.UserId, out var user) ? user.Read(after, read.MaxEntries) : [];
                pages[i] = new InboxPage(new InboxSeq(after + 1), runs, head);
            }
        }

        return new ValueTask<IReadOnlyList<InboxPage>>(pages);
    }

    public ValueTask<IReadOnlyList<StoredEntry>> ReadEntriesAsync(
        IReadOnlyList<Run> runs, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(runs);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<IReadOnlyList<StoredEntry>>(cancellationToken);
        }

        lock (_state.Gate)
        {
            return new ValueTask<IReadOnlyList<StoredEntry>>(Expand(runs, maxBytes));
        }
    }

    private List<StoredEntry> Expand(IReadOnlyList<Run> runs, long bytesLeft)
    {
        foreach (var run in runs)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(run.Count, 1, nameof(runs));
            ArgumentOutOfRangeException.ThrowIfLessThan(run.First.Value, 1, nameof(runs));
            var head = _state.Conversations.TryGetValue(run.ConversationId, out var conversation) ? conversation.Head : 0;
            ArgumentOutOfRangeException.ThrowIfGreaterThan(run.Last.Value, head, nameof(runs));
        }

        var entries = new List<StoredEntry>();
        foreach (var run in runs)
        {
            var conversation = _state.Conversations[run.ConversationId];
            for (var seq = run.First.Value; seq <= run.Last.Value; seq++)
            {
                var entry = conversation.Get(seq);
                bytesLeft -= entry.Body.Length;
                if (bytesLeft < 0 && entries.Count > 0)
                {
                    return entries;
                }

                entries.Add(entry);
            }
        }

        return entries;
    }
}
