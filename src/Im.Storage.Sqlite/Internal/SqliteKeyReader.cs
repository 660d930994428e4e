using System.Text;
using Im.Storage.Relational;
using SQLitePCL;

namespace Im.Storage.Sqlite.Internal;

/// <summary>Looks keys up one after the other with one prepared statement.</summary>
internal sealed class SqliteKeyReader(sqlite3 database, KeySource source) : KeyReader
{
    private readonly sqlite3_stmt _statement = SqliteNative.Prepare(database, SqliteSql.Of(source));
    private byte[] _bytes = new byte[4096];
    private int[] _ends = new int[256];
    private int _values;
    private int _next;

    public override void Add(ReadOnlySpan<byte> value)
    {
        var start = _values == 0 ? 0 : _ends[_values - 1];
        if (_bytes.Length - start < value.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, start + value.Length));
        }

        if (_values == _ends.Length)
        {
            Array.Resize(ref _ends, _ends.Length * 2);
        }

        value.CopyTo(_bytes.AsSpan(start));
        _ends[_values++] = start + value.Length;
    }

    public override bool Read(out int key)
    {
        while (_next < _values)
        {
            raw.sqlite3_reset(_statement);
            for (var i = 1; i <= source.Keys.Length; i++, _next++)
            {
                var start = _next == 0 ? 0 : _ends[_next - 1];
                SqliteBinding.Bytes(database, _statement, i, _bytes.AsSpan(start, _ends[_next] - start));
            }

            if (SqliteNative.Step(database, _statement))
            {
                key = (_next / source.Keys.Length) - 1;
                return true;
            }
        }

        Clear();
        key = -1;
        return false;
    }

    public override void Clear()
    {
        raw.sqlite3_reset(_statement);
        _values = 0;
        _next = 0;
    }

    public override long GetInt64(int column) => raw.sqlite3_column_int64(_statement, column);

    public override ReadOnlySpan<byte> GetBytes(int column) => raw.sqlite3_column_blob(_statement, column);

    public override bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public override string GetText(int column) => Encoding.UTF8.GetString(GetBytes(column));

    public override void Dispose() => _statement.Dispose();
}
