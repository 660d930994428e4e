using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Im.Storage.Sqlite.Internal;

/// <summary>Prepared statements without ADO.NET in between: no objects for parameters, no allocation for a row.</summary>
internal static class SqliteNative
{
    public static sqlite3_stmt Prepare(sqlite3 database, string sql)
    {
        var code = raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out var statement);
        if (code != raw.SQLITE_OK)
        {
            SqliteException.ThrowExceptionForRC(code, database);
        }

        return statement;
    }

    /// <summary>True: it stands on a row. False: it is at its end.</summary>
    public static bool Step(sqlite3 database, sqlite3_stmt statement)
    {
        var code = raw.sqlite3_step(statement);
        switch (code)
        {
            case raw.SQLITE_ROW:
                return true;
            case raw.SQLITE_DONE:
                return false;
            default:
                Fail(database, statement, code);
                return false;
        }
    }

    /// <summary>Runs a text of one or several statements.</summary>
    public static void Execute(sqlite3 database, string sql)
    {
        var code = raw.sqlite3_exec(database, sql);
        if (code != raw.SQLITE_OK)
        {
            SqliteException.ThrowExceptionForRC(code, database);
        }
    }

    public static void Check(sqlite3 database, int code)
    {
        if (code != raw.SQLITE_OK)
        {
            SqliteException.ThrowExceptionForRC(code, database);
        }
    }

    private static void Fail(sqlite3 database, sqlite3_stmt statement, int code)
    {
        try
        {
            SqliteException.ThrowExceptionForRC(code, database);
        }
        finally
        {
            raw.sqlite3_reset(statement);
        }
    }
}
