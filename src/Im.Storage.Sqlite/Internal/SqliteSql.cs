using Im.Storage.Relational;

namespace Im.Storage.Sqlite.Internal;

/// <summary>The statements of row targets and key sources.</summary>
internal static class SqliteSql
{
    public static string Of(RowTarget target) => target.Mode switch
    {
        RowMode.Insert => Insert(target),
        RowMode.InsertIfAbsent => Insert(target) + " ON CONFLICT DO NOTHING",
        RowMode.Upsert => OnConflict(target, name => $"excluded.{name}"),
        RowMode.Raise => OnConflict(target, name => $"max({name}, excluded.{name})"),
        _ => Update(target),
    };

    public static string Of(KeySource source) =>
        $"SELECT {string.Join(", ", source.Columns)} FROM {source.Table} WHERE {Equal(source.Keys, 1)}";

    private static string Insert(RowTarget target) =>
        $"INSERT INTO {target.Table} ({string.Join(", ", target.Columns)}) VALUES ({string.Join(", ", target.Columns.Select((_, i) => $"?{i + 1}"))})";

    private static string OnConflict(RowTarget target, Func<string, string> value)
    {
        var keys = string.Join(", ", target.Columns[..target.Keys]);
        return $"{Insert(target)} ON CONFLICT ({keys}) DO UPDATE SET {string.Join(", ", target.Changed.Select(name => $"{name} = {value(name)}"))}";
    }

    private static string Update(RowTarget target)
    {
        var set = target.Columns.Skip(target.Keys).Select((name, i) => $"{name} = ?{target.Keys + i + 1}");
        var only = target.Only is null ? "" : $" AND {target.Only}";
        return $"UPDATE {target.Table} SET {string.Join(", ", set)} WHERE {Equal(target.Columns[..target.Keys], 1)}{only}";
    }

    private static string Equal(string[] names, int first) => string.Join(" AND ", names.Select((name, i) => $"{name} = ?{first + i}"));
}
