namespace Im.Diagnostics;

/// <summary>Whether the store takes writes, as the committer last saw it.</summary>
internal sealed class StorageHealth(TimeProvider time)
{
    private Failure? _failure;

    /// <summary>The last commit's failure; null after a success.</summary>
    public Failure? LastFailure => Volatile.Read(ref _failure);

    public void CommitFailed(string why) => Volatile.Write(ref _failure, new Failure(why, time.GetUtcNow()));

    public void CommitSucceeded()
    {
        if (LastFailure is not null)
        {
            Volatile.Write(ref _failure, null);
        }
    }

    /// <summary>The store took a write after this failure.</summary>
    public void ProbeSucceeded(Failure failure) => Interlocked.CompareExchange(ref _failure, null, failure);

    internal sealed record Failure(string Why, DateTimeOffset Since);
}
