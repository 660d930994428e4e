using System.Globalization;
using System.Reflection;
using System.Text;
using Im.Storage.Relational.Stores;

namespace Im.Storage.MySql.Internal;

/// <summary>Creates the tables, or brings those of an older version up to date; one node at a time.</summary>
internal static class MySqlSchemaUpgrade
{
    private const string LockSql = "CONCAT('im-schema-', LEFT(SHA1(DATABASE()), 32))";
    private const int LockSeconds = 20;

    /// <summary>
    /// Runs the files that the database lacks. MySQL commits each statement by itself, so each may be run again, and a named lock keeps other
    /// nodes from running them meanwhile.
    /// </summary>
    public static void Run(MySqlSession session, bool createSchema)
    {
        if (session.Query("SELECT DATABASE()") is null)
        {
            throw new ImStorageException(
                "The connection has no database. Name one in the connection string of the DbDataSource: Database=im;", failure: ImStorageFailure.Refused);
        }

        var files = SchemaFiles.Read(Assembly.GetExecutingAssembly());
        if (Check(session, FindVersion(session), files.Count, createSchema))
        {
            return;
        }

        if (session.Query($"SELECT GET_LOCK({LockSql}, {LockSeconds})") is not { } locked || Convert.ToInt64(locked, CultureInfo.InvariantCulture) != 1)
        {
            throw new ImStorageException("Another node has been changing the schema for too long. Start this one again when it is done.");
        }

        try
        {
            // Another node may have done it meanwhile.
            for (var version = FindVersion(session); version < files.Count; version++)
            {
                foreach (var statement in Statements(files[version]))
                {
                    session.Execute(statement);
                }

                session.Execute(SchemaFiles.Record(version + 1, files[version]));
            }
        }
        finally
        {
            session.Execute($"DO RELEASE_LOCK({LockSql})");
        }
    }

    /// <summary>Text must come to the server as it is here: a driver may take its encoding from the server's default.</summary>
    public static void CheckText(MySqlSession session)
    {
        const string Text = "é€😀";
        var statement = session.Prepare("SELECT HEX(@p1), @p2").AddText(Text).AddText(Text);
        var isRight = statement.Read()
            && statement.GetText(0) == Convert.ToHexString(Encoding.UTF8.GetBytes(Text))
            && statement.GetText(1) == Text;
        statement.Clear();
        if (!isRight)
        {
            throw new ImStorageException(
                "Text does not reach the database as it is: the driver and the server do not agree on its encoding. Add to the connection string of the "
                + "DbDataSource: CharSet=utf8mb4;",
                failure: ImStorageFailure.Refused);
        }
    }

    /// <summary>Whether the schema is the one that is needed; throws where nothing can be done about it.</summary>
    private static bool Check(MySqlSession session, int current, int needed, bool createSchema)
    {
        if (current > needed)
        {
            // Nodes of a newer version may be at work already: side by side, if its schema allows.
            if (SchemaFiles.IsUsable(session, needed))
            {
                return true;
            }

            throw new ImStorageException(
                $"The database has schema {current}; this version of Im.Storage.MySql knows up to {needed}. Install the version that wrote it, or a newer "
                + "one: <PackageReference Include=\"Im.Storage.MySql\" Version=\"…\" />.",
                failure: ImStorageFailure.Refused);
        }

        if (current < needed && !createSchema)
        {
            throw new ImStorageException(
                $"The database has schema {current}, {needed} is needed, and ImMySqlOptions.CreateSchema is false. Run what "
                + $"ImMySqlSchema.Script({current}) gives, or set CreateSchema = true.",
                failure: ImStorageFailure.Refused);
        }

        return current == needed;
    }

    private static int FindVersion(MySqlSession session)
    {
        const string Exists = "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'im_meta'";
        return session.Query(Exists) is not null && MetaRows.Find(session, MetaRows.Schema) is { } version
            ? int.Parse(version, NumberStyles.None, CultureInfo.InvariantCulture)
            : 0;
    }

    /// <summary>A file's statements: each ends with a semicolon at the end of a line; comments have lines of their own.</summary>
    private static IEnumerable<string> Statements(string file)
    {
        var lines = file.Split('\n').Where(line => !line.StartsWith("--", StringComparison.Ordinal));
        return string.Join('\n', lines).Split(";\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
