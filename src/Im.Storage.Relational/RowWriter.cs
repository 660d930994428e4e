namespace Im.Storage.Relational;

/// <summary>Writes many rows of one kind: values column by column, <see cref="EndRow"/>, at last <see cref="Flush"/>.</summary>
/// <remarks>
/// Rows may be written at once or be kept until <see cref="Flush"/>; what reads them back flushes first. Spans are copied. Owned by its session and
/// used by one piece of code at a time; <see cref="Clear"/>ed when a transaction is given up.
/// </remarks>
internal abstract class RowWriter : IDisposable
{
    private readonly Utf8Buffer _utf8 = new();

    public abstract void Add(long value);

    public abstract void Add(ReadOnlySpan<byte> value);

    public abstract void AddNull();

    public abstract void AddText(string value);

    public void AddId(string id) => Add(_utf8.Encode(id));

    public void Add(long? value)
    {
        if (value is { } number)
        {
            Add(number);
        }
        else
        {
            AddNull();
        }
    }

    public abstract void EndRow();

    /// <summary>Writes what is kept; how many rows were inserted or changed since the last flush (of upserts: meaningless).</summary>
    public abstract long Flush();

    public abstract void Clear();

    public abstract void Dispose();
}
