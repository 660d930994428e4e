using Im.Diagnostics;
using Im.Model;

namespace Im.Messaging;

/// <summary>A message that the host's own code sends.</summary>
internal sealed class HostMessage(ImMetrics metrics) : PendingMessage
{
    private readonly TaskCompletionSource<ImSendResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<ImSendResult> Result => _result.Task;

    protected override void Complete(ImSendResult result)
    {
        metrics.Sent(SendOutcomes.GetName(result.Outcome), 1);
        Activity?.Dispose();
        _result.TrySetResult(result);
    }
}
