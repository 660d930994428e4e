namespace Im.Outbox;

/// <summary>Table, intervals and limits of the outbox; each has a default. Validated at start, all errors at once.</summary>
public sealed class ImOutboxOptions
{
    /// <summary>The kind of the host's database.</summary>
    /// <value>Default: none, told from the name of the driver's connection type.</value>
    public ImOutboxDialect? Dialect { get; set; }

    /// <summary>The table's name, with the schema's in front where it needs one. Two IM servers that share a database need two tables.</summary>
    /// <value>Default: im_outbox.</value>
    public string TableName { get; set; } = "im_outbox";

    /// <summary>Create the table at start if it is not there. Otherwise run what <see cref="ImOutboxSchema.Script"/> prints.</summary>
    /// <value>Default: true.</value>
    public bool CreateTable { get; set; } = true;

    /// <summary>A statement that the relay runs on each connection that it opens; empty = nothing.</summary>
    /// <value>Default: none, that is <c>SET NAMES utf8mb4</c> for MySQL and nothing for others.</value>
    public string? ConnectionInitSql { get; set; }

    /// <summary>How often the relay looks for rows that nobody nudged it about.</summary>
    /// <value>Default: 1 second.</value>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>For how long a relay holds the lease; renewed at a third of it. After a crash another relay waits this long.</summary>
    /// <value>Default: 10 seconds.</value>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How many rows are read at once.</summary>
    /// <value>Default: 500.</value>
    public int MaxPageRows { get; set; } = 500;

    /// <summary>How many bytes of messages are read at once; a single larger one is read alone.</summary>
    /// <value>Default: 4 MiB.</value>
    public int MaxPageBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>How long one call to the IM server may take before its outcome counts as unknown and it is sent again.</summary>
    /// <value>Default: 30 seconds.</value>
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one statement of the relay may take. In whole seconds.</summary>
    /// <value>Default: 30 seconds.</value>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The first wait after a failure; it doubles.</summary>
    /// <value>Default: 200 milliseconds.</value>
    public TimeSpan RetryMinDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The limit of the doubling.</summary>
    /// <value>Default: 15 seconds.</value>
    public TimeSpan RetryMaxDelay { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// A message that the server fails to take again and again for reasons of its own (an interceptor that throws, not a store that is down) holds
    /// back its conversation for this long; then it is marked as refused.
    /// </summary>
    /// <value>Default: 60 minutes.</value>
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromHours(1);
}
