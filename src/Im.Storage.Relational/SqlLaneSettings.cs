namespace Im.Storage.Relational;

/// <summary>Limits of lanes; the adapters' options say the defaults.</summary>
internal sealed record SqlLaneSettings
{
    /// <summary>How many jobs may wait for a lane; further callers wait for room.</summary>
    public int MaxQueuedJobs { get; init; } = 4096;

    /// <summary>How often a transaction is run at most.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>How long is tried to find out what became of a commit.</summary>
    public TimeSpan CommitOutcomeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public SqlMetrics? Metrics { get; init; }

    public SqlCommitHook? CommitHook { get; init; }
}
