namespace Im.Storage.Relational;

/// <summary>Looks many rows up by their keys: add all keys, then <see cref="Read"/> until false. Keys without a row are left out.</summary>
/// <remarks>
/// Rows come in any order; <c>key</c> says which one was asked for, counted from 0. A key may be asked for twice. Owned by its session and used by one
/// piece of code at a time.
/// </remarks>
internal abstract class KeyReader : SqlRow, IDisposable
{
    private readonly Utf8Buffer _utf8 = new();

    /// <summary>The next value of the key; a key is complete when all its columns have one.</summary>
    public abstract void Add(ReadOnlySpan<byte> value);

    public void AddId(string id) => Add(_utf8.Encode(id));

    /// <summary>The next row; false at the end, after which the reader is ready for new keys.</summary>
    public abstract bool Read(out int key);

    public abstract void Clear();

    public abstract void Dispose();
}
