using Im.Model;
using Im.Protocol;

namespace Im.Messaging;

/// <summary>What content may be, whoever made it: a client, the host, an interceptor.</summary>
internal static class ContentRules
{
    /// <summary>What is wrong with it, or null.</summary>
    public static (ImErrorCode Code, string Message)? Check(Content content, int maxBodyBytes)
    {
        if (!Ids.IsId(content.ContentType))
        {
            return (ImErrorCode.InvalidArgument, $"content.contentType must be 1–{Ids.MaxBytes} bytes, for example \"text\".");
        }

        if (content.Text.Length == 0 && content.Data.IsEmpty)
        {
            return (ImErrorCode.EmptyBody, "The content has neither text nor data.");
        }

        var size = content.CalculateSize();
        return size > maxBodyBytes
            ? (ImErrorCode.BodyTooLarge, $"The content is {size} bytes; the limit (MaxBodyBytes) is {maxBodyBytes}.")
            : null;
    }
}
