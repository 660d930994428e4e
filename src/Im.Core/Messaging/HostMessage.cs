using Im.Diagnostics;
using Im.Messaging.Queue;
using Im.Model;

namespace Im.Messaging;

/// <summary>A message that the host's own code sends.</summary>
internal sealed class HostMessage(ImMetrics metrics) : PendingMessage
{
    private readonly TaskCompletionSource<ImSendResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<ImSendResult> Result => _result.Task;

    /// <summary>Its passage through the gate of the send queue; given back with the answer. Null for what comes out of the queue.</summary>
    public SendPassage? Passage { get; set; }

    /// <summary>The answer to what is kept in the store's queue.</summary>
    public void Queued(long timeMs) => Complete(new ImSendResult
    {
        Outcome = ImSendOutcome.Queued,
        ClientMessageId = ClientMessageId,
        ConversationId = ConversationId,
        TimeMs = timeMs,
    });

    protected override void Complete(ImSendResult result)
    {
        metrics.Sent(SendOutcomes.GetName(result.Outcome), 1);
        Activity?.Dispose();
        Passage?.Dispose();
        _result.TrySetResult(result);
    }
}
