using System.Text;

namespace Im.Storage.Relational;

/// <summary>The row that a statement or a reader stands on. Spans are valid until the next call of any method.</summary>
internal abstract class SqlRow
{
    public abstract long GetInt64(int column);

    /// <summary>Bytes, or a text as UTF-8; empty for NULL.</summary>
    public abstract ReadOnlySpan<byte> GetBytes(int column);

    public abstract bool IsNull(int column);

    /// <summary>A text column.</summary>
    public abstract string GetText(int column);

    /// <summary>An id, kept as its UTF-8 bytes.</summary>
    public virtual string GetId(int column) => Encoding.UTF8.GetString(GetBytes(column));

    public long? GetNullableInt64(int column) => IsNull(column) ? null : GetInt64(column);
}
