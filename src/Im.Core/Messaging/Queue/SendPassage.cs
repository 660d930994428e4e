namespace Im.Messaging.Queue;

/// <summary>One send's way through the gate, from its decision to its answer. Disposed once by whoever ends it; further calls do nothing.</summary>
internal sealed class SendPassage(SendQueueGate gate, bool isQueued) : IDisposable
{
    private int _isEnded;

    /// <summary>Whether the send goes into the queue.</summary>
    public bool IsQueued => isQueued;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isEnded, 1) == 0)
        {
            gate.Leave(isQueued);
        }
    }
}
