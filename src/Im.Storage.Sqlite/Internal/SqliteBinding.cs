using SQLitePCL;

namespace Im.Storage.Sqlite.Internal;

/// <summary>Binds bytes to a parameter; an empty span is an empty blob, not NULL.</summary>
internal static class SqliteBinding
{
    public static void Bytes(sqlite3 database, sqlite3_stmt statement, int parameter, ReadOnlySpan<byte> value) => SqliteNative.Check(
        database,
        value.Length > 0 ? raw.sqlite3_bind_blob(statement, parameter, value) : raw.sqlite3_bind_zeroblob(statement, parameter, 0));
}
