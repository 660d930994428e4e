namespace Im.Storage.Relational;

/// <summary>What the engine must know of one database. One object for all lanes; safe for all their threads.</summary>
internal abstract class SqlDialect
{
    /// <summary>For messages and thread names: "sqlite".</summary>
    public abstract string Name { get; }

    /// <summary>Whether writers run beside each other, so that rows must be locked, in one order, and exist before they can be.</summary>
    public abstract bool LocksRows { get; }

    /// <summary>What a single-row select ends with so that the row stays locked: " FOR UPDATE" or nothing.</summary>
    public string ForUpdate => LocksRows ? " FOR UPDATE" : "";

    /// <summary>A statement that deletes the first rows of an order; the condition's parameters come first, then how many rows at most.</summary>
    /// <param name="table">The table.</param>
    /// <param name="keys">Its key's columns.</param>
    /// <param name="where">Which rows, with <c>@p1</c> …</param>
    /// <param name="order">The order.</param>
    /// <param name="limit">The limit's parameter, for example <c>@p2</c>.</param>
    public virtual string DeleteSome(string table, string keys, string where, string order, string limit) =>
        $"DELETE FROM {table} WHERE ({keys}) IN (SELECT {keys} FROM {table} WHERE {where} ORDER BY {order} LIMIT {limit})";

    /// <summary>Opens a connection for one lane.</summary>
    /// <param name="forWrites">Whether the lane writes.</param>
    public abstract SqlSession Open(bool forWrites);

    /// <summary>What an exception of the driver means. Never called for <see cref="ArgumentException"/> and <see cref="ImStorageException"/>.</summary>
    public abstract SqlFault Classify(Exception exception);
}

/// <summary>What a driver's exception means.</summary>
/// <param name="Failure">What the caller is told.</param>
/// <param name="MayRetry">Whether running the transaction again, on a fresh connection, may help.</param>
/// <param name="Message">What went wrong and what fixes it.</param>
internal readonly record struct SqlFault(ImStorageFailure Failure, bool MayRetry, string Message);
