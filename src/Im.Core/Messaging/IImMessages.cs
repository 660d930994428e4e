using Im.Model;

namespace Im.Messaging;

/// <summary>Sends messages from the host's own code.</summary>
/// <remarks>Interceptors see these messages too; limits on the rate of a session do not apply. A result is returned after the commit.</remarks>
public interface IImMessages
{
    /// <summary>Sends one message. A refusal is a result, not an exception.</summary>
    ValueTask<ImSendResult> SendAsync(OutgoingMessage message, CancellationToken cancellationToken = default);

    /// <summary>
    /// Sends messages in order, committed in as few batches as possible. Each has its own result, in order: one refusal does not stop the others.
    /// </summary>
    ValueTask<IReadOnlyList<ImSendResult>> SendAsync(IReadOnlyList<OutgoingMessage> messages, CancellationToken cancellationToken = default);
}
