namespace Im.Storage.Relational.Append;

/// <summary>Finds out, on a new connection, what became of a commit that ended in an exception.</summary>
internal static class CommitOutcome
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Whether the batch's commit-log row is there; where the old transaction still lives this waits for its end.</summary>
    /// <exception cref="ImStorageException">It could not be found out in time.</exception>
    public static bool IsCommitted(SqlWorker worker, AppendBatch batch, Exception failure)
    {
        var time = worker.Settings.Time;
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                return Find(worker, batch);
            }
            catch (Exception exception) when (SqlWorker.IsOfTheDriver(exception))
            {
                worker.Discard();
            }

            if (time.GetElapsedTime(started) >= worker.Settings.CommitOutcomeTimeout || worker.Stopping.WaitHandle.WaitOne(Pause))
            {
                throw new ImStorageException(
                    $"The connection was lost while batch {batch.BatchNumber} of node {batch.NodeName} was being committed, and the database did not "
                    + "answer in time what became of it. Bring the database back; clients that send again get the right answer.",
                    failure,
                    ImStorageFailure.OutcomeUnknown);
            }
        }
    }

    private static bool Find(SqlWorker worker, AppendBatch batch)
    {
        var session = worker.Session;
        if (worker.Dialect.LocksRows)
        {
            session.BeginWrite();
        }
        else
        {
            session.BeginRead();
        }

        var statement = session.Prepare(
            $"SELECT 1 FROM im_commits WHERE node_name = @p1 AND batch_number = @p2 AND writer_id = @p3{worker.Dialect.ForUpdate}");
        var found = statement.AddId(batch.NodeName).Add(batch.BatchNumber).Add(worker.Settings.WriterId).Read();
        statement.Clear();
        session.Rollback();
        return found;
    }
}
