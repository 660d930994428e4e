using System.Globalization;
using Im.Storage.Relational;

namespace Im.Storage.MySql.Internal;

/// <summary>The named lock that stands for a node's name, on a connection of its own. Used by the guard's lane only.</summary>
internal sealed class NodeNameLock(string nodeName, string instanceId, TimeSpan timeout)
{
    // Locks are the server's, names are a database's.
    private readonly string _name = $"CONCAT('im-node-', LEFT(SHA1(CONCAT(COALESCE(DATABASE(), ''), '/', 0x{Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(nodeName))})), 40))";
    private readonly string _mark = ConnectionMarks.GuardOf(ConnectionMarks.Hash(instanceId));
    private MySqlSession? _prepared;

    /// <summary>Takes the lock or sees that it is still held; opens a new connection where the old one is lost.</summary>
    public NodeNameState Hold(SqlWorker worker)
    {
        try
        {
            var session = (MySqlSession)worker.Session;
            if (_prepared == session)
            {
                if (Is(session, $"SELECT IS_USED_LOCK({_name}) = CONNECTION_ID()"))
                {
                    return NodeNameState.Held;
                }
            }
            else
            {
                Prepare(session);
            }

            if (Is(session, $"SELECT GET_LOCK({_name}, 0)"))
            {
                session.Query($"SELECT GET_LOCK('{_mark}', 0)");
                return NodeNameState.Held;
            }

            // The connection before, which the server has not given up yet.
            if (session.Query($"SELECT IF(IS_USED_LOCK({_name}) = IS_USED_LOCK('{_mark}'), IS_USED_LOCK('{_mark}'), NULL)") is { } own)
            {
                session.Kill(Convert.ToInt64(own, CultureInfo.InvariantCulture));
                return NodeNameState.Dying;
            }

            return NodeNameState.OfAnother;
        }
        catch (Exception exception) when (SqlWorker.IsOfTheDriver(exception))
        {
            if (_prepared is { } lost)
            {
                // Not to be asked for anything any more: a half-dead network answers late.
                lost.GivesLocksBack = false;
            }

            worker.Discard();
            var fault = worker.Dialect.Classify(exception);
            throw new ImStorageException(fault.Message, exception, fault.Failure);
        }
    }

    /// <summary>Closes the connection, which gives the lock back.</summary>
    public static bool Release(SqlWorker worker)
    {
        worker.Discard();
        return true;
    }

    // Without a sign of life the server ends the connection: of a machine that has vanished, of a process that is frozen.
    private void Prepare(MySqlSession session)
    {
        session.GivesLocksBack = true;
        session.Execute("DO RELEASE_ALL_LOCKS()");
        session.Execute(string.Create(CultureInfo.InvariantCulture, $"SET SESSION wait_timeout = {(long)Math.Ceiling(timeout.TotalSeconds)}"));
        _prepared = session;
    }

    private static bool Is(MySqlSession session, string sql) =>
        session.Query(sql) is { } value && Convert.ToInt64(value, CultureInfo.InvariantCulture) == 1;
}

/// <summary>Who has a node's name.</summary>
internal enum NodeNameState
{
    /// <summary>This process.</summary>
    Held,

    /// <summary>A connection of this process that is being ended.</summary>
    Dying,

    /// <summary>Another process.</summary>
    OfAnother,
}
