namespace Im.Storage.InMemory;

/// <summary>Limits of what the in-memory store keeps for deduplication, whatever retention says.</summary>
internal sealed record InMemorySettings
{
    /// <summary>How long a sent id is remembered; a resend after that is stored again.</summary>
    /// <value>7 days.</value>
    public TimeSpan SentRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>How many sent ids are remembered at most; the oldest are forgotten first.</summary>
    /// <value>1,000,000 (about 200 MB).</value>
    public int SentMaxCount { get; init; } = 1_000_000;
}
