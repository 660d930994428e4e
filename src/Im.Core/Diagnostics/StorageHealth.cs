namespace Im.Diagnostics;

/// <summary>Whether the store takes writes, as the committer last saw it.</summary>
internal sealed class StorageHealth(TimeProvider time)
{
    private Failure? _failure;
    private long _succeededAt = time.GetTimestamp();

    /// <summary>The last commit's failure; null after a success.</summary>
    public Failure? LastFailure => Volatile.Read(ref _failure);

    public void CommitFailed(string why) => Volatile.Write(ref _failure, new Failure(why, time.GetUtcNow()));

    /// <summary>How long ago the store last took a write; at first since the start.</summary>
    public TimeSpan SinceSuccess => time.GetElapsedTime(Volatile.Read(ref _succeededAt));

    public void CommitSucceeded()
    {
        Volatile.Write(ref _succeededAt, time.GetTimestamp());
        if (LastFailure is not null)
        {
            Volatile.Write(ref _failure, null);
        }
    }

    /// <summary>The store took a probe's write, which began when this was the last failure.</summary>
    public void ProbeSucceeded(Failure? failure)
    {
        Volatile.Write(ref _succeededAt, time.GetTimestamp());
        Interlocked.CompareExchange(ref _failure, null, failure);
    }

    internal sealed record Failure(string Why, DateTimeOffset Since);
}
