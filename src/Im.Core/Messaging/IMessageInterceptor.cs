using Im.Model;
using Im.Protocol;

namespace Im.Messaging;

/// <summary>The host's say about messages before they are stored, and its notice after.</summary>
/// <remarks>
/// Registered with <c>AddMessageInterceptor&lt;T&gt;()</c> as a singleton; called in the order of registration, one message of a sender's connection at a
/// time and in the order in which they were sent, within <c>ImServerOptions.InterceptorTimeout</c>. A resend of a stored message is not shown
/// again.
/// </remarks>
public interface IMessageInterceptor
{
    /// <summary>Before the commit: continue, change the content, or reject with a code. An exception rejects the message as an internal error.</summary>
    ValueTask<InterceptionResult> BeforeStoreAsync(InterceptedMessage message, CancellationToken cancellationToken);

    /// <summary>
    /// After the commit, at most once: not called for what was committed just before a crash. Awaiting here does not hold back the sender, nor
    /// delivery; batches wait for each other, and where they come faster than they are handled the oldest are dropped and counted.
    /// </summary>
    ValueTask AfterStoreAsync(IReadOnlyList<InterceptedMessage> messages, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}

/// <summary>A message on its way.</summary>
/// <param name="SenderId">Who sends it.</param>
/// <param name="SenderDeviceId">From which device; empty for the host's own sends.</param>
/// <param name="ConversationId">Into which conversation.</param>
/// <param name="ClientMessageId">The sender's id for it.</param>
/// <param name="Content">What it says, as changed by the interceptors before.</param>
/// <param name="NonPersistent">Whether it is relayed and not stored.</param>
public sealed record InterceptedMessage(
    string SenderId, string SenderDeviceId, string ConversationId, string ClientMessageId, MessageContent Content, bool NonPersistent);

/// <summary>An interceptor's answer.</summary>
public readonly record struct InterceptionResult
{
    /// <summary>What to store instead; null = the message as it is.</summary>
    public MessageContent? Content { get; private init; }

    /// <summary>Why it is rejected; <see cref="ImErrorCode.None"/> = it is not.</summary>
    public ImErrorCode Code { get; private init; }

    /// <summary>A sentence for the client.</summary>
    public string? Message { get; private init; }

    /// <summary>Go on.</summary>
    public static InterceptionResult Continue => default;

    /// <summary>Go on with other content.</summary>
    public static InterceptionResult Replace(MessageContent content) => new() { Content = content };

    /// <summary>Refuse; the code is the host's own (<see cref="ImErrorCode.FirstHostCode"/> and up) or <see cref="ImErrorCode.RejectedByHost"/>.</summary>
    public static InterceptionResult Reject(string message, ImErrorCode code = ImErrorCode.RejectedByHost) =>
        new() { Code = code, Message = message };
}
