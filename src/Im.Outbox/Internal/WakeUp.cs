namespace Im.Outbox.Internal;

/// <summary>Wakes the relay. A call while it works is not lost: the next wait ends at once.</summary>
internal sealed class WakeUp
{
    private volatile TaskCompletionSource _woken = New();

    public void Set() => _woken.TrySetResult();

    /// <summary>Ends when it is woken or the time is over; the caller is the relay's loop only.</summary>
    public async Task WaitAsync(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var woken = _woken;
        if (!woken.Task.IsCompleted && timeout > TimeSpan.Zero)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(woken.Task, Task.Delay(timeout, time, either.Token));
            await either.CancelAsync();
        }

        if (woken.Task.IsCompleted)
        {
            // Before the relay reads: what is committed and nudged from here on wakes it again.
            _woken = New();
        }

        cancellationToken.ThrowIfCancellationRequested();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
