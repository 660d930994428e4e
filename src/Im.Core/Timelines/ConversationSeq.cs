using System.Globalization;

namespace Im.Timelines;

/// <summary>A position in a conversation's timeline: 1 is the first entry, 0 is before it.</summary>
/// <remarks>Its own type, so that no compiler lets it stand where the other timeline's seq belongs.</remarks>
public readonly record struct ConversationSeq(long Value) : IComparable<ConversationSeq>
{
    /// <summary>Before the first entry.</summary>
    public static ConversationSeq Zero => default;

    /// <summary>The position that many entries further on.</summary>
    public static ConversationSeq operator +(ConversationSeq seq, long count) => new(seq.Value + count);

    /// <summary>How many entries lie between two positions.</summary>
    public static long operator -(ConversationSeq left, ConversationSeq right) => left.Value - right.Value;

    /// <summary>Whether the left position is before the right one.</summary>
    public static bool operator <(ConversationSeq left, ConversationSeq right) => left.Value < right.Value;

    /// <summary>Whether the left position is after the right one.</summary>
    public static bool operator >(ConversationSeq left, ConversationSeq right) => left.Value > right.Value;

    /// <summary>Whether the left position is not after the right one.</summary>
    public static bool operator <=(ConversationSeq left, ConversationSeq right) => left.Value <= right.Value;

    /// <summary>Whether the left position is not before the right one.</summary>
    public static bool operator >=(ConversationSeq left, ConversationSeq right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public int CompareTo(ConversationSeq other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
