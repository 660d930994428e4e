using System.Globalization;
using System.Text;
using Im.Storage.Relational;

namespace Im.Storage.MySql.Internal;

/// <summary>The texts of statements over many rows. VALUES() in an upsert is what both MySQL 8 and MariaDB know.</summary>
internal static class RowSql
{
    public static string Write(RowTarget target, int rows) =>
        target.Mode == RowMode.Update ? Update(target, rows) : Insert(target, rows);

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

    private static string Insert(RowTarget target, int rows)
    {
        var sql = new StringBuilder(target.Mode == RowMode.InsertIfAbsent ? "INSERT IGNORE INTO " : "INSERT INTO ")
            .Append(target.Table).Append(" (").AppendJoin(", ", target.Columns).Append(") VALUES ");
        var parameter = 0;
        for (var i = 0; i < rows; i++)
        {
            sql.Append(i == 0 ? "" : ",");
            AppendParameters(sql, target.Columns.Length, ref parameter, inBrackets: true);
        }

        if (target.Mode is RowMode.Upsert or RowMode.Raise)
        {
            sql.Append(" ON DUPLICATE KEY UPDATE ");
            // Nothing to change: the row is only made to exist.
            sql.AppendJoin(", ", target.Changed.Length == 0
                ? [$"{target.Columns[0]} = {target.Table}.{target.Columns[0]}"]
                : target.Changed.Select(column => target.Mode == RowMode.Upsert
                    ? $"{column} = VALUES({column})"
                    : $"{column} = GREATEST({target.Table}.{column}, VALUES({column}))"));
        }

        return sql.ToString();
    }

    // The new values come first, and each row is then found by its key: no scan whatever the optimizer thinks of the sizes.
    private static string Update(RowTarget target, int rows)
    {
        var sql = new StringBuilder("UPDATE (");
        var parameter = 0;
        for (var i = 0; i < rows; i++)
        {
            sql.Append(i == 0 ? "SELECT " : " UNION ALL SELECT ");
            for (var column = 0; column < target.Columns.Length; column++)
            {
                sql.Append(column == 0 ? "" : ",").Append(ParameterSet.Name(++parameter));
                if (i == 0)
                {
                    sql.Append(" AS ").Append(target.Columns[column]);
                }
            }
        }

        sql.Append(") AS n STRAIGHT_JOIN ").Append(target.Table).Append(" AS t FORCE INDEX (PRIMARY) ON ")
            .AppendJoin(" AND ", target.Columns.Take(target.Keys).Select(key => $"t.{key} = n.{key}"))
            .Append(" SET ").AppendJoin(", ", target.Changed.Select(column => $"t.{column} = n.{column}"));
        if (target.Only is not null)
        {
            sql.Append(" WHERE t.").Append(target.Only);
        }

        return sql.ToString();
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
