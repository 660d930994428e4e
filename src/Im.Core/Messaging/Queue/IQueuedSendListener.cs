using Im.Model;

namespace Im.Messaging.Queue;

/// <summary>Is told of queued sends that could not be stored after all: their <c>SendAsync</c> has answered <see cref="ImSendOutcome.Queued"/> long ago.</summary>
/// <remarks>
/// Registered with <c>AddQueuedSendListener&lt;T&gt;()</c> as a singleton. Called before the send leaves the queue, so at least once: again where the
/// node dies just then. The queue waits for it; an exception is logged and the send dropped all the same.
/// </remarks>
public interface IQueuedSendListener
{
    /// <summary>A queued send was refused, and will not be tried again.</summary>
    ValueTask DroppedAsync(DroppedSend send, CancellationToken cancellationToken);
}

/// <summary>A queued send that was refused when its turn came.</summary>
/// <param name="Message">The send; its target is named by its conversation.</param>
/// <param name="QueuedAt">When it was queued.</param>
/// <param name="Result">Why it was refused.</param>
public sealed record DroppedSend(OutgoingMessage Message, DateTimeOffset QueuedAt, ImSendResult Result);
