using System.Globalization;

namespace Im.Timelines;

/// <summary>A position in a user's inbox: 1 is the first entry, 0 is before it.</summary>
/// <remarks>Its own type, so that no compiler lets it stand where the other timeline's seq belongs.</remarks>
public readonly record struct InboxSeq(long Value) : IComparable<InboxSeq>
{
    /// <summary>Before the first entry.</summary>
    public static InboxSeq Zero => default;

    /// <summary>The position that many entries further on.</summary>
    public static InboxSeq operator +(InboxSeq seq, long count) => new(seq.Value + count);

    /// <summary>How many entries lie between two positions.</summary>
    public static long operator -(InboxSeq left, InboxSeq right) => left.Value - right.Value;

    /// <summary>Whether the left position is before the right one.</summary>
    public static bool operator <(InboxSeq left, InboxSeq right) => left.Value < right.Value;

    /// <summary>Whether the left position is after the right one.</summary>
    public static bool operator >(InboxSeq left, InboxSeq right) => left.Value > right.Value;

    /// <summary>Whether the left position is not after the right one.</summary>
    public static bool operator <=(InboxSeq left, InboxSeq right) => left.Value <= right.Value;

    /// <summary>Whether the left position is not before the right one.</summary>
    public static bool operator >=(InboxSeq left, InboxSeq right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public int CompareTo(InboxSeq other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
