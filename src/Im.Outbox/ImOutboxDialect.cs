namespace Im.Outbox;

/// <summary>The kind of the host's database.</summary>
public enum ImOutboxDialect
{
    /// <summary>MySQL 8 and MariaDB 10.11 or later.</summary>
    MySql,

    /// <summary>SQLite 3.</summary>
    Sqlite,

    /// <summary>PostgreSQL.</summary>
    PostgreSql,

    /// <summary>SQL Server and Azure SQL.</summary>
    SqlServer,
}
