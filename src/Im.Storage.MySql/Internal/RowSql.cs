using System.Globalization;
using System.Text;
using Im.Storage.Relational;

namespace Im.Storage.MySql.Internal;

/// <summary>The texts of statements over many rows. VALUES() in an upsert is what both MySQL 8 and MariaDB know.</summary>
internal static class RowSql
{
    public static string Write(RowTarget target, int rows) =>
        target.Mode == RowMode.Update ? Update(target, rows) : Insert(target, rows);

    /// <summary>The rows of a source whose keys are among some; locked in the order of the keys where the source asks for it.</summary>
    /// <remarks>The index is forced: on a small table the optimizer would rather scan, and lock rows that nobody asked for in another order.</remarks>
    public static string Find(KeySource source, int keys)
    {
        var sql = new StringBuilder("SELECT ").AppendJoin(", ", source.Keys.Concat(source.Columns))
            .Append(" FROM ").Append(source.Table).Append(" FORCE INDEX (PRIMARY) WHERE ");
        var isOne = source.Keys.Length == 1;
        sql.Append(isOne ? source.Keys[0] : $"({string.Join(", ", source.Keys)})").Append(" IN (");
        var parameter = 0;
        for (var i = 0; i < keys; i++)
        {
            sql.Append(i == 0 ? "" : ",");
            AppendParameters(sql, source.Keys.Length, ref parameter, inBrackets: !isOne);
        }

        sql.Append(") ORDER BY ").AppendJoin(", ", source.Keys);
        return sql.Append(source.Lock ? " FOR UPDATE" : "").ToString();
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

        if (target.Mode == RowMode.Upsert)
        {
            sql.Append(" ON DUPLICATE KEY UPDATE ");
            // Nothing to change: the row is only made to exist.
            sql.AppendJoin(", ", target.Changed.Length == 0
                ? [$"{target.Columns[0]} = {target.Table}.{target.Columns[0]}"]
                : target.Changed.Select(column => $"{column} = VALUES({column})"));
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
