using System.Globalization;
using System.Security.Cryptography;

namespace Im.Outbox.Internal;

/// <summary>Makes the ids of rows: 32 characters that sort by time, and within a process by the order in which they were made.</summary>
/// <remarks>
/// <code>
/// 0197c3e2a4f1 00002a 5be1c09d27f3a8
/// unix ms      count  random
/// </code>
/// A clock that stands still or goes back only makes the count go on. The random part is not to be guessed: who could name a coming id could take it
/// for a message of their own first.
/// </remarks>
internal sealed class OutboxIds(TimeProvider time)
{
    public const int Length = 32;

    private const int MaxCount = 0xFFFFFF;

    // Guards the two fields: an id is made in a few steps, whoever asks.
    private readonly Lock _lock = new();
    private long _lastMs;
    private int _count;

    public string Next()
    {
        var (ms, count) = Step(time.GetUtcNow().ToUnixTimeMilliseconds());
        Span<byte> random = stackalloc byte[7];
        RandomNumberGenerator.Fill(random);
        return string.Create(CultureInfo.InvariantCulture, $"{ms:x12}{count:x6}{Convert.ToHexStringLower(random)}");
    }

    private (long Ms, int Count) Step(long now)
    {
        lock (_lock)
        {
            if (now > _lastMs)
            {
                (_lastMs, _count) = (now, 0);
            }
            else if (++_count > MaxCount)
            {
                (_lastMs, _count) = (_lastMs + 1, 0);
            }

            return (_lastMs, _count);
        }
    }
}
