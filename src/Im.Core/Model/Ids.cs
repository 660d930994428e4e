using System.Text;

namespace Im.Model;

/// <summary>What ids may look like.</summary>
internal static class Ids
{
    /// <summary>The longest user, device and client message id in bytes.</summary>
    public const int MaxBytes = 64;

    /// <summary>The longest group id in bytes.</summary>
    public const int MaxGroupIdBytes = 128;

    public static bool IsUserId(string id) => IsId(id, MaxBytes) && id[0] != ConversationId.SystemPrefix;

    public static bool IsSystemSender(string id) => IsId(id, MaxBytes) && id[0] == ConversationId.SystemPrefix && id.Length > 1;

    public static bool IsId(string id, int maxBytes = MaxBytes) =>
        id.Length > 0 && Encoding.UTF8.GetByteCount(id) <= maxBytes && !id.Any(char.IsControl) && IsWellFormed(id);

    // A lone surrogate would become U+FFFD as bytes, and two ids one.
    private static bool IsWellFormed(string id)
    {
        for (var i = 0; i < id.Length; i++)
        {
            if (char.IsHighSurrogate(id[i]) && i + 1 < id.Length && char.IsLowSurrogate(id[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(id[i]))
            {
                return false;
            }
        }

        return true;
    }
}
