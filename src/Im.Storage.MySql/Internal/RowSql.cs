using System.Globalization;
using System.Text;
using Im.Storage.Relational;

namespace Im.Storage.MySql.Internal;

/// <summary>The texts of statements over many rows. VALUES() in an upsert is what both MySQL 8 and MariaDB know.</summary>
internal static class RowSql
{
    /// <summary>What stands before the rows.</summary>
    public static string Head(RowTarget target) => target.Mode switch
    {
        // The new values come first, and each row is then found by its key: no scan whatever the optimizer thinks of the sizes.
        RowMode.Update => "UPDATE (",
        RowMode.InsertIfAbsent => $"INSERT IGNORE INTO {target.Table} ({string.Join(", ", target.Columns)}) VALUES ",
        _ => $"INSERT INTO {target.Table} ({string.Join(", ", target.Columns)}) VALUES ",
    };

    /// <summary>What stands behind the rows.</summary>
    public static string Tail(RowTarget target) => target.Mode switch
    {
        RowMode.Update => UpdateTail(target),

        // Nothing to change: the row is only made to exist.
        RowMode.Upsert when target.Changed.Length == 0 =>
            $" ON DUPLICATE KEY UPDATE {target.Columns[0]} = {target.Table}.{target.Columns[0]}",
        RowMode.Upsert => OnDuplicate(target, column => $"VALUES({column})"),
        RowMode.Raise => OnDuplicate(target, column => $"GREATEST({target.Table}.{column}, VALUES({column}))"),
        _ => "",
    };

    /// <summary>The rows of a source whose keys are among some, sorted by key; locked first, in that order, where the source asks for it.</summary>
    /// <remarks>
    /// <para>The index is forced: on a small table the optimizer would rather scan, and lock rows that nobody asked for in another order.</para>
    /// <para>Rows are locked by an update that changes nothing, not by FOR UPDATE: a wait that fails there breaks off in the middle of a result, and
    /// MySql.Data then waits for the rest of it until the command times out.</para>
    /// </remarks>
    public static string Find(KeySource source, int keys)
    {
        var among = Among(source, keys);
        var sql = new StringBuilder();
        if (source.Lock)
        {
            sql.Append("UPDATE ").Append(source.Table).Append(" FORCE INDEX (PRIMARY) SET ").Append(source.Columns[0]).Append(" = ")
                .Append(source.Columns[0]).Append(among).Append("; ");
        }

        return sql.Append("SELECT ").AppendJoin(", ", source.Keys.Concat(source.Columns))
            .Append(" FROM ").Append(source.Table).Append(" FORCE INDEX (PRIMARY)").Append(among).ToString();
    }

    private static string Among(KeySource source, int keys)
    {
        var isOne = source.Keys.Length == 1;
        var sql = new StringBuilder(" WHERE ")
            .Append(isOne ? source.Keys[0] : $"({string.Join(", ", source.Keys)})").Append(" IN (");
        var parameter = 0;
        for (var i = 0; i < keys; i++)
        {
            sql.Append(i == 0 ? "" : ",");
            AppendParameters(sql, source.Keys.Length, ref parameter, inBrackets: !isOne);
        }

        return sql.Append(") ORDER BY ").AppendJoin(", ", source.Keys).ToString();
    }

    private static string OnDuplicate(RowTarget target, Func<string, string> value) =>
        " ON DUPLICATE KEY UPDATE " + string.Join(", ", target.Changed.Select(column => $"{column} = {value(column)}"));

    private static string UpdateTail(RowTarget target)
    {
        var on = string.Join(" AND ", target.Columns.Take(target.Keys).Select(key => $"t.{key} = n.{key}"));
        var set = string.Join(", ", target.Changed.Select(column => $"t.{column} = n.{column}"));
        return $") AS n STRAIGHT_JOIN {target.Table} AS t FORCE INDEX (PRIMARY) ON {on} SET {set}"
            + (target.Only is null ? "" : $" WHERE t.{target.Only}");
    }

    private static void AppendParameters(StringBuilder sql, int count, ref int parameter, bool inBrackets)
    {
        sql.Append(inBrackets ? "(" : "");
        for (var i = 0; i < count; i++)
        {
            sql.Append(i == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $"@p{++parameter}");
        }

        sql.Append(inBrackets ? ")" : "");
    }
}
