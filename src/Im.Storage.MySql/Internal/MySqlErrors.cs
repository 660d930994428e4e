using System.Data.Common;
using System.Globalization;
using Im.Storage.Relational;

namespace Im.Storage.MySql.Internal;

/// <summary>What the server's error numbers mean to a host.</summary>
/// <remarks>
/// Nothing depends on it but messages and whether to give up early: before COMMIT nothing has happened, so what is unknown is tried again.
/// MySqlConnector and MySql.Data both put the number into <see cref="Exception.Data"/> under the same name.
/// </remarks>
internal static class MySqlErrors
{
    private const string NumberKey = "Server Error Code";

    public static SqlFault Classify(Exception exception)
    {
        if (exception is InvalidDataException)
        {
            // Ours: what was read cannot be, and reading it again does not help.
            return new(ImStorageFailure.Refused, MayRetry: false, $"The store failed: {exception.Message}");
        }

        var number = NumberOf(exception);
        return number switch
        {
            1021 or 1114 => Full(exception),
            3 or 1026 or 1030 when IsOutOfSpace(exception) => Full(exception),
            1290 or 1792 or 1836 => new(
                ImStorageFailure.ReadOnly,
                MayRetry: false,
                $"The database takes no writes ({exception.Message}). Let the DbDataSource point to the primary server, or turn read_only off there."),
            1045 or 1698 => new(
                ImStorageFailure.Unavailable,
                MayRetry: false,
                $"The database does not let the account in ({exception.Message}). Set user and password in the connection string of the DbDataSource."),
            1049 => new(
                ImStorageFailure.Unavailable,
                MayRetry: false,
                $"The database is not there ({exception.Message}). Name the right one in the connection string of the DbDataSource, or create it: "
                + "CREATE DATABASE im;"),
            1044 or 1142 or 1143 or 1227 => new(
                ImStorageFailure.Unavailable,
                MayRetry: false,
                $"The database's account may not do this ({exception.Message}). "
                + "Grant it: GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX ON the_database.* TO the_account;"),
            1095 => new(
                ImStorageFailure.Unavailable,
                MayRetry: false,
                $"The database does not let the account end another node's connection ({exception.Message}). Let all nodes connect with the same account."),
            1054 or 1146 => new(
                ImStorageFailure.Refused,
                MayRetry: false,
                $"The schema is not there or not complete ({exception.Message}). Leave ImMySqlOptions.CreateSchema true, or run what ImMySqlSchema.Script gives."),
            1153 => new(
                ImStorageFailure.Refused,
                MayRetry: false,
                $"A statement is larger than the server allows ({exception.Message}). Set max_allowed_packet to at least 16M on the server."),
            1048 or 1062 or 1064 or 1264 or 1265 or 1366 or 1406 => new(
                ImStorageFailure.Refused, MayRetry: false, $"The database refused what it was given: {exception.Message}"),
            1205 => new(
                ImStorageFailure.Unavailable,
                MayRetry: true,
                $"Another transaction holds rows for too long ({exception.Message}). See SHOW ENGINE INNODB STATUS on the server."),
            _ => new(
                ImStorageFailure.Unavailable,
                MayRetry: true,
                $"The database failed ({exception.Message}). See whether the server runs and can be reached from here."),
        };
    }

    /// <summary>The server's number; 0 for what is not the server's answer.</summary>
    public static int NumberOf(Exception exception)
    {
        for (var current = exception; current is not null; current = current.InnerException)
        {
            if (current is DbException && current.Data[NumberKey] is { } number)
            {
                return Convert.ToInt32(number, CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }

    private static SqlFault Full(Exception exception) => new(
        ImStorageFailure.Full,
        MayRetry: false,
        $"The database has no room left ({exception.Message}). Free space on its disk or let its tablespace grow; nothing else is needed.");

    // ENOSPC, EDQUOT and InnoDB's own number for a full tablespace.
    private static bool IsOutOfSpace(Exception exception) =>
        exception.Message.Contains(" 28", StringComparison.Ordinal)
        || exception.Message.Contains(" 122", StringComparison.Ordinal)
        || exception.Message.Contains(" 135", StringComparison.Ordinal)
        || exception.Message.Contains("No space", StringComparison.OrdinalIgnoreCase);
}
