using System.Security.Cryptography;

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

    /// <summary>
    /// Names this process's commits: another one that was given the same node name by mistake may use the same batch numbers, and its row in the commit log
    /// says nothing about ours.
    /// </summary>
    public byte[] WriterId { get; } = RandomNumberGenerator.GetBytes(16);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public SqlMetrics? Metrics { get; init; }

    public SqlCommitHook? CommitHook { get; init; }
}
