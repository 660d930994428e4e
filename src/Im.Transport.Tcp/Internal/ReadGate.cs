namespace Im.Transport.Tcp.Internal;

/// <summary>Where a paused receive loop waits. One waiter; opened from any thread; no wake-up is lost.</summary>
/// <remarks>
/// <c>null</c>: closed, nobody waits. <see cref="Opened"/>: opened since the last <see cref="Close"/>. A task source: somebody waits.
/// Opening before the wait begins counts, so the loop closes the gate before it calls whoever may open it.
/// </remarks>
internal struct ReadGate
{
    private static readonly object Opened = new();

    private object? _state;

    /// <summary>The next wait will wait, unless the gate is opened in between. Only by the waiter.</summary>
    public void Close() => Volatile.Write(ref _state, null);

    /// <summary>Ends the wait, or the next one.</summary>
    public void Open() => (Interlocked.Exchange(ref _state, Opened) as TaskCompletionSource)?.TrySetResult();

    /// <summary>
    /// Completes when the gate is open. Conditions that must end a wait are to be looked at after this returned and before its task is
    /// awaited, and set before <see cref="Open"/> is called: then one of the two sides sees the other.
    /// </summary>
    public Task WaitAsync()
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return Interlocked.CompareExchange(ref _state, waiter, null) is null ? waiter.Task : Task.CompletedTask;
    }
}
