namespace Im.Storage.Relational.Append;

/// <summary>Runs an append on the append lane until it is committed, refused, or has failed too often.</summary>
/// <remarks>
/// <code>
/// begin ─▶ append ─▶ commit ─▶ result
///   ▲        │         │ exception: did it happen?
///   └────────┴─────────┤   yes ─▶ result      (the commit-log row is there)
///    rolled back, again│   no  ─▶ again
///                      └── nobody knows ─▶ OutcomeUnknown
/// </code>
/// Nothing before the commit has happened, so whatever fails there is run again, at most so often as the settings say.
/// </remarks>
internal static class Appender
{
    // Each further run means that another node was faster, or that head rows were missing.
    private const int MaxRuns = 16;

    public static AppendResult Append(SqlWorker worker, AppendBatch batch)
    {
        for (var attempt = 1; ; attempt++)
        {
            AppendResult result;
            try
            {
                result = AppendOnce(worker, batch, out var isOpen);
                if (!isOpen)
                {
                    return result;
                }
            }
            catch (Exception exception) when (SqlWorker.IsOfTheDriver(exception))
            {
                worker.Abandon();
                worker.ThrowUnlessRetried(exception, attempt);
                continue;
            }
            catch
            {
                worker.Abandon();
                throw;
            }

            try
            {
                worker.Settings.CommitHook?.Before?.Invoke();
                worker.Session.Commit();
                worker.Settings.CommitHook?.After?.Invoke();
                return result;
            }
            catch (Exception exception)
            {
                worker.Discard();
                if (CommitOutcome.IsCommitted(worker, batch, exception))
                {
                    return result;
                }

                worker.ThrowUnlessRetried(exception, attempt);
            }
        }
    }

    /// <summary>One run; where something is to be committed the transaction is left open.</summary>
    private static AppendResult AppendOnce(SqlWorker worker, AppendBatch batch, out bool isOpen)
    {
        for (var run = 1; ; run++)
        {
            var session = worker.Session;
            session.BeginWrite();
            var transaction = new AppendTransaction(session, worker.Dialect, batch, worker.Settings.WriterId, worker.Settings.Time.GetUtcNow().ToUnixTimeMilliseconds());
            var result = transaction.Run();
            isOpen = result is { Committed: true, Runs.Count: > 0 } && !transaction.LostClaims;
            if (isOpen)
            {
                return result;
            }

            session.Abandon();
            if (transaction.MissesRows)
            {
                AppendTransaction.CreateMissingRows(session, batch);
            }
            else if (!transaction.LostClaims)
            {
                return result;
            }

            worker.Stopping.ThrowIfCancellationRequested();
            if (run >= MaxRuns)
            {
                throw new ImStorageException(
                    $"Ids of batch {batch.BatchNumber} could not be claimed in {MaxRuns} runs: two of them are the same as UTF-8 bytes, or others take them "
                    + "all the time. Give each message an id of its own, without lone surrogates.",
                    failure: ImStorageFailure.Refused);
            }
        }
    }
}
