using Im.Outbox.Internal;

namespace Im.Outbox;

/// <summary>The outbox's table, as SQL to print.</summary>
public static class ImOutboxSchema
{
    /// <summary>The statement that creates the table; running it again changes nothing.</summary>
    /// <param name="dialect">The kind of the host's database.</param>
    /// <param name="tableName">As in <see cref="ImOutboxOptions.TableName"/>.</param>
    public static string Script(ImOutboxDialect dialect, string tableName = "im_outbox")
    {
        ArgumentNullException.ThrowIfNull(tableName);
        return TableNames.IsValid(tableName)
            ? SqlDialect.For(dialect).CreateTable(tableName)
            : throw new ArgumentException(TableNames.Problem(tableName), nameof(tableName));
    }
}
