namespace Im.Storage.Relational;

/// <summary>A prepared statement of one session: give the parameters in order, then <see cref="Execute"/> it or <see cref="Read"/> its rows.</summary>
/// <remarks>
/// Texts name their parameters <c>@p1</c>, <c>@p2</c> … in the order in which they first appear. A statement is used by one piece of code at a time; one
/// whose rows were not read to the end is <see cref="Clear"/>ed. Owned by its session.
/// </remarks>
internal abstract class SqlStatement : SqlRow, IDisposable
{
    private readonly Utf8Buffer _utf8 = new();

    public abstract SqlStatement Add(long value);

    public abstract SqlStatement Add(ReadOnlySpan<byte> value);

    public abstract SqlStatement AddNull();

    /// <summary>A text column's value; ids go through <see cref="AddId"/>.</summary>
    public abstract SqlStatement AddText(string value);

    /// <summary>An id as its UTF-8 bytes.</summary>
    public SqlStatement AddId(string id) => Add(_utf8.Encode(id));

    public SqlStatement Add(long? value) => value is { } number ? Add(number) : AddNull();

    /// <summary>Runs the statement; how many rows it changed.</summary>
    public abstract int Execute();

    /// <summary>The next row; false at the end, after which the statement is ready for new parameters.</summary>
    public abstract bool Read();

    /// <summary>Forgets parameters and rows, also after a failure.</summary>
    public abstract void Clear();

    public abstract void Dispose();
}
