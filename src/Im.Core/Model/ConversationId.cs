using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Im.Model;

/// <summary>How conversation ids are made: a prefix says the kind.</summary>
/// <remarks>
/// <code>
/// g:GROUP                 a group
/// d:LENGTH:FIRST:SECOND   a direct conversation: the two ids in byte order, LENGTH = bytes of the first
/// o:USER                  a user's own conversation (marks, settings)
/// </code>
/// The length keeps ids apart whatever characters the host's user ids contain.
/// </remarks>
public static class ConversationId
{
    /// <summary>The longest id in bytes.</summary>
    public const int MaxBytes = 160;

    /// <summary>The first character of a system sender's name; no user's id begins with it.</summary>
    public const char SystemPrefix = '$';

    /// <summary>The id of a group's conversation.</summary>
    public static string Group(string groupId) => "g:" + groupId;

    /// <summary>The id of a user's own conversation.</summary>
    public static string Own(string userId) => "o:" + userId;

    /// <summary>The id of the direct conversation of two parties, whichever is named first.</summary>
    public static string Direct(string one, string other)
    {
        // Ordinal comparison of UTF-16 differs from byte order beyond the basic plane; the stored key is bytes.
        var oneBytes = Encoding.UTF8.GetBytes(one);
        var otherBytes = Encoding.UTF8.GetBytes(other);
        return oneBytes.AsSpan().SequenceCompareTo(otherBytes) <= 0
            ? string.Create(CultureInfo.InvariantCulture, $"d:{oneBytes.Length}:{one}:{other}")
            : string.Create(CultureInfo.InvariantCulture, $"d:{otherBytes.Length}:{other}:{one}");
    }

    /// <summary>Whether the id names a group.</summary>
    public static bool IsGroup(string conversationId) => conversationId.StartsWith("g:", StringComparison.Ordinal);

    /// <summary>Whether the id names a user's own conversation.</summary>
    public static bool IsOwn(string conversationId) => conversationId.StartsWith("o:", StringComparison.Ordinal);

    /// <summary>The users whom the id of a direct or own conversation names, sorted; a system sender is none.</summary>
    public static ImmutableArray<string> GetUsers(string conversationId)
    {
        if (IsOwn(conversationId))
        {
            return [conversationId[2..]];
        }

        return TryGetParties(conversationId, out var first, out var second)
            ? [.. new[] { first, second }.Where(id => !id.StartsWith(SystemPrefix)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]
            : [];
    }

    /// <summary>The two parties of a direct conversation, or false if the id is no direct conversation's.</summary>
    public static bool TryGetParties(string conversationId, out string first, out string second)
    {
        first = second = "";
        if (!conversationId.StartsWith("d:", StringComparison.Ordinal))
        {
            return false;
        }

        var colon = conversationId.IndexOf(':', 2);
        if (colon < 0 || !int.TryParse(conversationId.AsSpan(2, colon - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return false;
        }

        var parties = Encoding.UTF8.GetBytes(conversationId[(colon + 1)..]);
        if (length <= 0 || length >= parties.Length - 1 || parties[length] != ':')
        {
            return false;
        }

        first = Encoding.UTF8.GetString(parties, 0, length);
        second = Encoding.UTF8.GetString(parties, length + 1, parties.Length - length - 1);

        // Only the one spelling that Direct makes is an id.
        return Direct(first, second) == conversationId;
    }
}
