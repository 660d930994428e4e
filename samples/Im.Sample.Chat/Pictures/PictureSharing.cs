using System.Text.Json;
using Im.Messaging;

namespace Im.Sample.Chat.Pictures;

/// <summary>
/// Lets the members of a conversation see a picture that is sent into it. Noted before the message is stored, so that whoever gets the message can
/// already load it; a sender can pass on only what the sender may see, so that guessing or overhearing an address opens nothing.
/// </summary>
internal sealed class PictureSharing(PictureAccess access) : IMessageInterceptor
{
    private const string Prefix = "/pictures/";

    public async ValueTask<InterceptionResult> BeforeStoreAsync(InterceptedMessage message, CancellationToken cancellationToken)
    {
        if (message.Content.ContentType != "image" || Hash(message.Content.Text) is not { } hash)
        {
            // A picture of elsewhere: none of ours is opened by it, and the page does not load it.
            return InterceptionResult.Continue;
        }

        if (!await access.MayReadAsync(message.SenderId, hash, cancellationToken))
        {
            return InterceptionResult.Reject("You cannot send this picture: upload it first.");
        }

        access.Share(hash, message.ConversationId);
        return InterceptionResult.Continue;
    }

    private static string? Hash(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("url", out var url)
                && url.ValueKind == JsonValueKind.String
                && url.GetString() is { } address
                && address.StartsWith(Prefix, StringComparison.Ordinal)
                    ? address[Prefix.Length..]
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
