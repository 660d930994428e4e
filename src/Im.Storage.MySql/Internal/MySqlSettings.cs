namespace Im.Storage.MySql.Internal;

/// <summary>What a lane's connection is opened with.</summary>
internal sealed record MySqlSettings
{
    public string ConnectionInitSql { get; init; } = "SET NAMES utf8mb4";

    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan LockWaitTimeout { get; init; } = TimeSpan.FromSeconds(2);

    public TimeSpan IdleTransactionTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
