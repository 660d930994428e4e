using System.Reflection;
using Im.Storage.Relational.Stores;

namespace Im.Storage.MySql;

/// <summary>The tables of the MySQL store.</summary>
public static class ImMySqlSchema
{
    /// <summary>The number of the newest schema that this version of the package knows.</summary>
    public static int Version => SchemaFiles.Read(Assembly.GetExecutingAssembly()).Count;

    /// <summary>The statements that create all tables, or bring those of an older version up to date, for who turns <see cref="ImMySqlOptions.CreateSchema"/> off.</summary>
    /// <param name="fromVersion">The version that the database has; 0 = none, an empty database.</param>
    public static string Script(int fromVersion = 0) => SchemaFiles.Script(
        Assembly.GetExecutingAssembly(), fromVersion, "-- MySQL commits each of these statements by itself; all may be run again.", "");
}
