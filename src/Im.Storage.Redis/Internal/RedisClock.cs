namespace Im.Storage.Redis.Internal;

/// <summary>What time it is for Redis, as far as its answers tell, so that what comes after everybody has given up can be refused there.</summary>
/// <remarks>
/// A Redis that was frozen does what it was sent before, when it goes on: a session that is registered then may have ended long ago. The time
/// here is a little late rather than early, by no more than an answer takes. Safe for several threads.
/// </remarks>
internal sealed class RedisClock(TimeSpan timeout, TimeProvider time)
{
    private const double MicrosPerSecond = 1_000_000;

    private readonly long _timeout = (long)(timeout.TotalSeconds * MicrosPerSecond);

    // The clock of Redis minus ours; 0 = not known yet.
    private long _offset;

    /// <summary>Our clock in microseconds, which nobody sets.</summary>
    public long Now => (long)(time.GetTimestamp() / (time.TimestampFrequency / MicrosPerSecond));

    /// <summary>Until when something that is sent now may be done, by the clock of Redis; 0 = always, since that is not known yet.</summary>
    public long Deadline() => Volatile.Read(ref _offset) is not 0 and var offset ? Now + offset + _timeout : 0;

    /// <summary>Takes the time that an answer tells, to what was sent then.</summary>
    public void Learn(long sent, long redisMicros) => Volatile.Write(ref _offset, redisMicros - sent);
}
