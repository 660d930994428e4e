using Im.Diagnostics;
using Im.Storage;
using Im.Sync;
using Microsoft.Extensions.Logging;

namespace Im.Messaging;

/// <summary>What follows a commit that failed: a refused batch is split, the others' senders are answered, and what may be stored is looked for.</summary>
/// <remarks>Used by the committer's loop only; throws nothing.</remarks>
internal sealed class CommitFailures(
    BatchBuilder builder, Delivery delivery, HeadCheck headCheck, StorageHealth health, ImMetrics metrics, ILogger logger)
{
    private bool _committedSinceRefusal = true;

    public void Succeeded(Batch batch)
    {
        _committedSinceRefusal = true;
        health.CommitSucceeded();
        builder.Succeeded();
        for (var i = 0; i < batch.Items.Count; i++)
        {
            if (!batch.IsRetried(i))
            {
                Answered(batch.Items[i]);
            }
        }

        builder.Resends.Sweep();
    }

    public void Handle(Batch batch, CancellationToken cancellationToken)
    {
        var failure = CommitFailure.Of(batch.Failure!, cancellationToken);
        metrics.CommitFailed(failure.Name);
        if (failure.MayBeStored)
        {
            Doubt(batch);
        }

        if (failure.MaySplit && batch.Items.Count > 1)
        {
            Log.CommitSplit(logger, batch.Number, batch.Items.Count, batch.Failure!);
            builder.Split(batch.Items);
            return;
        }

        if (failure != CommitFailure.ShuttingDown)
        {
            Log.CommitFailed(logger, batch.Number, batch.Items.Count, failure.Name, batch.Failure!);
        }

        if (failure is { MaySplit: true, MayBeStored: false } && _committedSinceRefusal)
        {
            // Others are taken, so it is this one. A store that refuses everything is another matter: then the messages are to come again.
            _committedSinceRefusal = false;
            Answered(batch.Items[0]);
            batch.Items[0].TryRefuse(CommitFailure.Refused.Code, CommitFailure.Refused.Message, logger);
            return;
        }

        health.CommitFailed(failure.Name);
        foreach (var item in batch.Items)
        {
            if (item is PendingMessage message)
            {
                builder.Resends.Refused(message);
            }

            item.TryRefuse(failure.Code, failure.Message, logger);
        }
    }

    /// <summary>Something of the batch may be committed and was not delivered: sessions look for it, as soon as the store answers, on all nodes.</summary>
    public void Doubt(Batch batch)
    {
        var changes = batch.Items.OfType<PendingChange>().Where(change => change.Change is not ConversationChange.MoveReadMark).ToArray();
        headCheck.CheckSoon(
            batch.Timelines,
            changes.Select(change => change.ConversationId),
            changes.SelectMany(change => change.Opens.Concat(change.Closes)));
        delivery.Doubt();
    }

    private void Answered(PendingAppend item)
    {
        if (item is PendingMessage message)
        {
            builder.Resends.Answered(message);
        }
    }
}
