namespace Im.Storage.Relational;

/// <summary>A lane's open connection with what is prepared on it. Used by the lane's thread only.</summary>
internal abstract class SqlSession : IDisposable
{
    private readonly Dictionary<string, SqlStatement> _statements = new(StringComparer.Ordinal);
    private readonly Dictionary<RowTarget, RowWriter> _writers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<KeySource, KeyReader> _readers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Type, object> _slots = [];

    /// <summary>Begins a transaction in which everything is read at one moment.</summary>
    public abstract void BeginRead();

    /// <summary>Begins a transaction that writes; what it reads is what is committed at the moment of each statement, or its own.</summary>
    public abstract void BeginWrite();

    public abstract void Commit();

    public abstract void Rollback();

    /// <summary>The statement of a text, prepared once.</summary>
    public SqlStatement Prepare(string sql)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            _statements.Add(sql, statement = CreateStatement(sql));
        }

        return statement;
    }

    /// <summary>The writer of a target, which is one of <see cref="Tables"/>.</summary>
    public RowWriter Writer(RowTarget target)
    {
        if (!_writers.TryGetValue(target, out var writer))
        {
            _writers.Add(target, writer = CreateWriter(target));
        }

        return writer;
    }

    /// <summary>The reader of a source, which is one of <see cref="Tables"/>.</summary>
    public KeyReader Reader(KeySource source)
    {
        if (!_readers.TryGetValue(source, out var reader))
        {
            _readers.Add(source, reader = CreateReader(source));
        }

        return reader;
    }

    /// <summary>Something that lives as long as the session, made at its first use.</summary>
    public T Slot<T>(Func<SqlSession, T> create)
        where T : class
    {
        if (!_slots.TryGetValue(typeof(T), out var slot))
        {
            _slots.Add(typeof(T), slot = create(this));
        }

        return (T)slot;
    }

    /// <summary>Rolls back, and forgets what was half done; throws where the connection is of no more use.</summary>
    public void Abandon()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Clear();
        }

        foreach (var writer in _writers.Values)
        {
            writer.Clear();
        }

        foreach (var reader in _readers.Values)
        {
            reader.Clear();
        }

        Rollback();
    }

    /// <summary>Closes the connection.</summary>
    public virtual void Dispose()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        foreach (var writer in _writers.Values)
        {
            writer.Dispose();
        }

        foreach (var reader in _readers.Values)
        {
            reader.Dispose();
        }
    }

    protected abstract SqlStatement CreateStatement(string sql);

    protected abstract RowWriter CreateWriter(RowTarget target);

    protected abstract KeyReader CreateReader(KeySource source);
}
