using System.Text;
using Im.Storage.Relational;
using SQLitePCL;

namespace Im.Storage.Sqlite.Internal;

/// <summary>A statement over the native library.</summary>
internal sealed class SqliteStatement(sqlite3 database, string sql) : SqlStatement
{
    private readonly sqlite3_stmt _statement = SqliteNative.Prepare(database, sql);
    private int _bound;

    public override SqlStatement Add(long value)
    {
        SqliteNative.Check(database, raw.sqlite3_bind_int64(_statement, ++_bound, value));
        return this;
    }

    public override SqlStatement Add(ReadOnlySpan<byte> value)
    {
        SqliteBinding.Bytes(database, _statement, ++_bound, value);
        return this;
    }

    public override SqlStatement AddNull()
    {
        SqliteNative.Check(database, raw.sqlite3_bind_null(_statement, ++_bound));
        return this;
    }

    public override SqlStatement AddText(string value)
    {
        SqliteNative.Check(database, raw.sqlite3_bind_text(_statement, ++_bound, value));
        return this;
    }

    public override int Execute()
    {
        while (SqliteNative.Step(database, _statement))
        {
        }

        var changes = raw.sqlite3_changes(database);
        Clear();
        return changes;
    }

    public override bool Read()
    {
        if (SqliteNative.Step(database, _statement))
        {
            return true;
        }

        Clear();
        return false;
    }

    public override void Clear()
    {
        raw.sqlite3_reset(_statement);
        _bound = 0;
    }

    public override long GetInt64(int column) => raw.sqlite3_column_int64(_statement, column);

    public override ReadOnlySpan<byte> GetBytes(int column) => raw.sqlite3_column_blob(_statement, column);

    public override bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public override string GetText(int column) => Encoding.UTF8.GetString(GetBytes(column));

    public override void Dispose() => _statement.Dispose();
}
