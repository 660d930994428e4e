using System.Globalization;
using Im.Storage.Relational.Stores;

namespace Im.Storage.Relational.Queue;

/// <summary>The right to drain the send queue: a row of im_meta, "NUMBER OWNER".</summary>
internal static class QueueLeaseRow
{
    public static SendQueueLease Take(SqlSession session, SqlDialect dialect, string owner, SendQueueLease expired)
    {
        var lease = Lock(session, dialect);
        if (lease.Owner.Length > 0 && lease.Owner != owner && lease != expired)
        {
            return lease;
        }

        lease = new SendQueueLease(owner, lease.Number + 1);
        Write(session, lease);
        return lease;
    }

    public static bool Release(SqlSession session, SqlDialect dialect, string owner)
    {
        var lease = Lock(session, dialect);
        if (lease.Owner == owner)
        {
            Write(session, lease with { Owner = "" });
        }

        return true;
    }

    // The row stays locked until the transaction ends; it is made first where it is missing, since what is not there cannot be locked.
    private static SendQueueLease Lock(SqlSession session, SqlDialect dialect)
    {
        if (Read(session, dialect) is { } lease)
        {
            return lease;
        }

        if (!dialect.LocksRows)
        {
            return SendQueueLease.Free;
        }

        var writer = session.Writer(Tables.MissingMeta);
        writer.AddId(MetaRows.SendQueueLease);
        writer.AddText("0 ");
        writer.EndRow();
        writer.Flush();
        return Read(session, dialect) ?? SendQueueLease.Free;
    }

    private static SendQueueLease? Read(SqlSession session, SqlDialect dialect)
    {
        var statement = session.Prepare("SELECT value FROM im_meta WHERE name = @p1" + dialect.ForUpdate).AddId(MetaRows.SendQueueLease);
        var value = statement.Read() ? statement.GetText(0) : null;
        statement.Clear();
        if (value is null)
        {
            return null;
        }

        var space = value.IndexOf(' ', StringComparison.Ordinal);
        return new SendQueueLease(value[(space + 1)..], long.Parse(value.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture));
    }

    private static void Write(SqlSession session, SendQueueLease lease) =>
        MetaRows.Set(session, MetaRows.SendQueueLease, string.Create(CultureInfo.InvariantCulture, $"{lease.Number} {lease.Owner}"));
}
