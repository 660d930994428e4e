using System.Data.Common;
using System.Globalization;

namespace Im.Outbox.Tests.Support;

/// <summary>A host's database.</summary>
public abstract class TestDatabase : IAsyncDisposable
{
    public abstract string ConnectionString { get; }

    /// <summary>What the host hands over.</summary>
    public abstract DbDataSource DataSource { get; }

    /// <summary>Whether one transaction can write while another one is open.</summary>
    public abstract bool HasConcurrentWriters { get; }

    /// <summary>What a statement of a test itself needs in front of it.</summary>
    protected virtual string SessionSql => "";

    /// <summary>The database fails from here on, until <see cref="RepairAsync"/>.</summary>
    public abstract Task BreakAsync();

    public abstract Task RepairAsync();

    public abstract ValueTask DisposeAsync();

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await DataSource.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = SessionSql + sql;
        await command.ExecuteNonQueryAsync();
    }

    public async Task<string?> ScalarAsync(string sql)
    {
        await using var connection = await DataSource.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToString(await command.ExecuteScalarAsync(), CultureInfo.InvariantCulture);
    }

    /// <summary>How many rows wait (1) or are refused (2).</summary>
    public async Task<int> CountAsync(int kind) =>
        int.Parse((await ScalarAsync($"SELECT COUNT(*) FROM im_outbox WHERE kind = {kind}"))!, CultureInfo.InvariantCulture);

    public Task DrainedAsync() => Wait.ForAsync(async () => await CountAsync(1) == 0, "the outbox is empty");
}
