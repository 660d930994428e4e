using Im.Storage.Relational;
using SQLitePCL;

namespace Im.Storage.Sqlite.Internal;

/// <summary>Writes each row at once with one prepared statement.</summary>
internal sealed class SqliteRowWriter(sqlite3 database, RowTarget target) : RowWriter
{
    private readonly sqlite3_stmt _statement = SqliteNative.Prepare(database, SqliteSql.Of(target));
    private int _bound;
    private long _changed;

    public override void Add(long value) => SqliteNative.Check(database, raw.sqlite3_bind_int64(_statement, ++_bound, value));

    public override void Add(ReadOnlySpan<byte> value) => SqliteBinding.Bytes(database, _statement, ++_bound, value);

    public override void AddNull() => SqliteNative.Check(database, raw.sqlite3_bind_null(_statement, ++_bound));

    public override void AddText(string value) => SqliteNative.Check(database, raw.sqlite3_bind_text(_statement, ++_bound, value));

    public override void EndRow()
    {
        SqliteNative.Step(database, _statement);
        _changed += raw.sqlite3_changes(database);
        raw.sqlite3_reset(_statement);
        _bound = 0;
    }

    public override long Flush()
    {
        var changed = _changed;
        _changed = 0;
        return changed;
    }

    public override void Clear()
    {
        raw.sqlite3_reset(_statement);
        _bound = 0;
        _changed = 0;
    }

    public override void Dispose() => _statement.Dispose();
}
