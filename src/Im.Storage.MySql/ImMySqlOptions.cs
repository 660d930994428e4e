namespace Im.Storage.MySql;

/// <summary>How the stores use MySQL or MariaDB; each option has a default. Validated at start, all errors at once.</summary>
public sealed class ImMySqlOptions
{
    /// <summary>Run on every connection that a lane opens; empty = nothing.</summary>
    /// <value>Default: <c>SET NAMES utf8mb4</c>. MySql.Data needs it with MariaDB; other drivers are not disturbed.</value>
    public string ConnectionInitSql { get; set; } = "SET NAMES utf8mb4";

    /// <summary>Whether the schema is created and upgraded at start. Where the account may not, run what <see cref="ImMySqlSchema.Script"/> gives.</summary>
    /// <value>Default: true.</value>
    public bool CreateSchema { get; set; } = true;

    /// <summary>How many connections write what is no append: device acks, device data, clean-up. Appends always have one of their own.</summary>
    /// <value>Default: 2.</value>
    public int WriteLanes { get; set; } = 2;

    /// <summary>How many connections read.</summary>
    /// <value>Default: 3.</value>
    public int ReadLanes { get; set; } = 3;

    /// <summary>How many calls may wait for a connection of one kind; further callers wait for room.</summary>
    /// <value>Default: 4,096.</value>
    public int MaxQueuedCalls { get; set; } = 4096;

    /// <summary>How long one statement may take; then its connection is given up and the transaction tried again.</summary>
    /// <value>Default: 30 seconds.</value>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a statement waits for a row that another transaction has locked, in whole seconds.</summary>
    /// <value>Default: 2 seconds.</value>
    public TimeSpan LockWaitTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// After how long MariaDB ends a transaction of ours whose process does nothing, so that a frozen node does not block the others. In whole
    /// seconds. MySQL knows no such limit.
    /// </summary>
    /// <value>Default: 4 seconds.</value>
    public TimeSpan IdleTransactionTimeout { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>How long a start waits for a process of the same node name that is just ending, before it fails.</summary>
    /// <value>Default: 10 seconds.</value>
    public TimeSpan NodeNameWait { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// After how long without a sign of life of a process the database gives its node name free: its machine has vanished, or it is frozen. In whole
    /// seconds.
    /// </summary>
    /// <value>Default: 8 seconds.</value>
    public TimeSpan NodeNameTimeout { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>How long is tried to find out what became of a commit whose connection was lost, before its senders are told to send again.</summary>
    /// <value>Default: 30 seconds.</value>
    public TimeSpan CommitDecisionTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Any text that was not used before gives the database a new generation at the next start, once for all nodes: needed after a backup was
    /// restored, so that devices do not go on from what the backup never saw.
    /// </summary>
    /// <value>Default: null, the generation stays.</value>
    public string? NewGeneration { get; set; }
}
