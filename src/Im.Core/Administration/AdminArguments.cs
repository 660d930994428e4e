using System.Text;
using Im.Model;

namespace Im.Administration;

/// <summary>What the arguments of the admin operations must be.</summary>
internal static class AdminArguments
{
    private const int LastHostCode = 4999;
    private const int MaxReasonBytes = 120;

    public static void ThrowIfNoUserId(string userId)
    {
        ArgumentNullException.ThrowIfNull(userId);
        if (!Ids.IsUserId(userId))
        {
            throw new ArgumentException($"A user id is 1–{Ids.MaxBytes} bytes without control characters and does not begin with '{ConversationId.SystemPrefix}'.", nameof(userId));
        }
    }

    public static void ThrowIfNoId(string? id, int maxBytes, string name)
    {
        if (id is null || !Ids.IsId(id, maxBytes))
        {
            throw new ArgumentException($"{name} must be 1–{maxBytes} bytes without control characters.", name);
        }
    }

    /// <summary>At least 1; at most what a page may have.</summary>
    public static int Clamp(int limit, ImAdminOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return Math.Min(limit, options.MaxPageItems);
    }

    public static void ThrowIfBadClose(ImCloseCode code, string reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        if (code != ImCloseCode.Disconnected && (int)code is < (int)ImCloseCode.FirstHostCode or > LastHostCode)
        {
            throw new ArgumentException($"Use the close code {(int)ImCloseCode.Disconnected}, or one of your own from {(int)ImCloseCode.FirstHostCode} to {LastHostCode}.", nameof(code));
        }

        // A WebSocket's close frame has room for 123.
        if (Encoding.UTF8.GetByteCount(reason) > MaxReasonBytes)
        {
            throw new ArgumentException($"The reason must be at most {MaxReasonBytes} bytes long.", nameof(reason));
        }
    }
}
