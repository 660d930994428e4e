using System.Threading.Channels;
using Im.Conversations;
using Im.Diagnostics;
using Im.Protocol;
using Im.Storage;
using Im.Sync;
using Im.Timelines;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Messaging;

/// <summary>The node's one append lane. While a commit is in flight the next batch gathers: no timer under load, no waiting when idle.</summary>
/// <remarks>
/// <code>
///  submit ─▶ queue ─▶ build batch ─▶ append ─▶ answer senders ─▶ deliver
///                          ▲            │
///                          ├── retry ◀──┤  stale version, in the same order, ahead of newer items
///                          └── halve ◀──┘  refused by the store, down to the one item that it will not take
/// </code>
/// One loop owns the batch, the retries and the batch number; a commit is delivered while the next one is being written, in commit order. Senders wait
/// while the queue is full.
/// </remarks>
internal sealed class Committer
{
    private const int MaxRetries = 16;

    private readonly Channel<PendingAppend> _queue;
    private readonly BatchBuilder _builder;
    private readonly IMessageStore _store;
    private readonly ISequenceAllocator _allocator;
    private readonly ConversationCache _conversations;
    private readonly Delivery _delivery;
    private readonly CommitFailures _failures;
    private readonly TimeProvider _time;
    private readonly ImMetrics _metrics;
    private readonly Checkpoints _checkpoints;
    private readonly ILogger _logger;

    public Committer(
        IMessageStore store,
        ISequenceAllocator allocator,
        ConversationCache conversations,
        Delivery delivery,
        HeadCheck headCheck,
        StorageHealth health,
        TimeProvider time,
        ImMetrics metrics,
        Checkpoints checkpoints,
        IOptions<ImServerOptions> options,
        ILogger<Committer> logger)
    {
        _store = store;
        _allocator = allocator;
        _conversations = conversations;
        _delivery = delivery;
        _time = time;
        _metrics = metrics;
        _checkpoints = checkpoints;
        _logger = logger;
        _builder = new BatchBuilder(conversations, store, time, options.Value, logger);
        _failures = new CommitFailures(_builder, delivery, headCheck, health, metrics, logger);
        _queue = Channel.CreateBounded<PendingAppend>(
            new BoundedChannelOptions(options.Value.MaxPendingMessages) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    }

    /// <summary>How many items wait.</summary>
    public int Pending => _queue.Reader.Count;

    /// <summary>Hands an item over; ends when it is in the queue.</summary>
    public async ValueTask SubmitAsync(PendingAppend item, CancellationToken cancellationToken)
    {
        if (_queue.Writer.TryWrite(item))
        {
            return;
        }

        try
        {
            await _queue.Writer.WriteAsync(item, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            item.Refuse(ImErrorCode.ShuttingDown, "The server is shutting down; reconnect and send again.");
        }
    }

    /// <summary>Takes no more; <see cref="RunAsync"/> ends when everything taken is committed and delivered.</summary>
    public void Complete() => _queue.Writer.TryComplete();

    /// <summary>Called once before <see cref="RunAsync"/>: the node's numbers go on after this one.</summary>
    public void StartAfter(long lastBatchNumber) => _builder.LastNumber = lastBatchNumber;

    /// <summary>Commits until <see cref="Complete"/>. Cancelled, it gives up what is not committed yet.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Batch? undelivered = null;
        try
        {
            while (_builder.HasRetries || await _queue.Reader.WaitToReadAsync(cancellationToken))
            {
                if (await _builder.BuildAsync(_queue.Reader, cancellationToken) is not { } batch)
                {
                    Deliver(ref undelivered);
                    continue;
                }

                var commit = CommitAsync(batch, cancellationToken);
                Deliver(ref undelivered);
                await commit;
                if (batch.Result is null)
                {
                    _failures.Handle(batch, cancellationToken);
                    continue;
                }

                _failures.Succeeded(batch);
                undelivered = batch;
                if (!_builder.HasRetries && !_queue.Reader.TryPeek(out _))
                {
                    Deliver(ref undelivered);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown that took too long.
        }
        finally
        {
            Deliver(ref undelivered);
            Complete();
            RefuseRest();
        }
    }

    private async Task CommitAsync(Batch batch, CancellationToken cancellationToken)
    {
        try
        {
            using var activity = ImActivitySource.StartCommit(batch.Items.Where(item => item.Activity is not null).Select(item => item.Activity!.Context));
            await _checkpoints.ReachAsync(Checkpoint.BeforeAppend, batch.Number.ToString(System.Globalization.CultureInfo.InvariantCulture));
            var started = _time.GetTimestamp();
            batch.Result = await AppendAsync(batch, cancellationToken);
            _metrics.Committed(_time.GetElapsedTime(started), batch.Items.Count);
            await AfterCommitAsync(batch, cancellationToken);
            await _checkpoints.ReachAsync(Checkpoint.Committed, batch.Number.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        catch (Exception exception)
        {
            if (batch.Result is null)
            {
                batch.Failure = exception;
            }
            else
            {
                // What is committed is answered and delivered all the same.
                Log.DeliveryFailed(_logger, batch.Number, exception);
            }
        }
    }

    private async Task<AppendResult> AppendAsync(Batch batch, CancellationToken cancellationToken)
    {
        var heads = new long[batch.Timelines.Count];
        await _allocator.ProposeAsync(batch.Timelines, heads, cancellationToken);
        for (var attempt = 0; ; attempt++)
        {
            var result = await _store.AppendAsync(batch.ToAppend(heads), cancellationToken);
            _allocator.Observe(batch.Timelines, result.Heads);
            if (result.Committed)
            {
                return result;
            }

            _metrics.CommitRetried("stale_head");
            if (attempt == MaxRetries)
            {
                throw new ImStorageException($"The heads of batch {batch.Number} were stale {MaxRetries} times.");
            }

            // Whatever is there: a node that writes to the same timelines without a pause would make each proposal stale again.
            Array.Fill(heads, ISequenceAllocator.Unknown);
        }
    }

    // What the next batch is built from must be current: changed conversations are read again, stale items go first into the next batch.
    private async ValueTask AfterCommitAsync(Batch batch, CancellationToken cancellationToken)
    {
        List<PendingAppend>? stale = null;
        for (var i = 0; i < batch.Items.Count; i++)
        {
            var item = batch.Items[i];
            var outcome = batch.Result!.Items[i].Outcome;
            if (item is PendingChange { Change: not ConversationChange.MoveReadMark } && outcome is AppendOutcome.Stored or AppendOutcome.StaleVersion)
            {
                if (outcome == AppendOutcome.Stored)
                {
                    _conversations.Changed(item.ConversationId, batch.Result.Items[i].Version, batch.AppendItems[i].Change!);
                }

                await TryReloadAsync(item, cancellationToken);
            }
            else if (item is PendingMessage && outcome == AppendOutcome.StaleVersion)
            {
                _metrics.CommitRetried("stale_version");
                batch.MarkRetried(i);
                if (++item.Retries > MaxRetries || !await TryReloadAsync(item, cancellationToken))
                {
                    item.TryRefuse(ImErrorCode.Conflict, "The conversation changes too often, or cannot be read; send again.", _logger);
                }
                else
                {
                    (stale ??= []).Add(item);
                }
            }
        }

        if (stale is not null)
        {
            _builder.Retry(stale);
        }
    }

    private async ValueTask<bool> TryReloadAsync(PendingAppend item, CancellationToken cancellationToken)
    {
        try
        {
            await _conversations.ReloadAsync(item.ConversationId, cancellationToken);
            return true;
        }
        catch (Exception exception)
        {
            // Whatever it was, the item is answered. The next append against the stale version is refused and asks again.
            Log.ReloadFailed(_logger, item.ConversationId, exception);
            return false;
        }
    }

    private void Deliver(ref Batch? committed)
    {
        if (committed is not { } batch)
        {
            return;
        }

        committed = null;
        try
        {
            _delivery.Deliver(batch);
        }
        catch (Exception exception)
        {
            Log.DeliveryFailed(_logger, batch.Number, exception);
            _failures.Doubt(batch);
        }
    }

    private void RefuseRest()
    {
        foreach (var item in _builder.TakeRetries())
        {
            item.TryRefuse(CommitFailure.ShuttingDown.Code, CommitFailure.ShuttingDown.Message, _logger);
        }

        while (_queue.Reader.TryRead(out var item))
        {
            item.TryRefuse(CommitFailure.ShuttingDown.Code, CommitFailure.ShuttingDown.Message, _logger);
        }
    }
}
