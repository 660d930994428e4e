namespace Im.Presence;

/// <summary>The loops of presence and signals, from before the first session until after the last.</summary>
internal sealed class PresenceHost(PresenceEvents events, PresencePublisher publisher, PresenceNotifier notifier, Broadcasts broadcasts)
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _giveUp = new();
    private Task _loops = Task.CompletedTask;
    private Task _telling = Task.CompletedTask;

    public void Start(Func<Task, string, Task> guard)
    {
        _loops = Task.WhenAll(
            guard(publisher.RunAsync(_stopping.Token), "presence publisher"),
            guard(notifier.RunAsync(_stopping.Token), "presence notifier"),
            guard(broadcasts.RunAsync(_stopping.Token), "broadcasts"));
        _telling = guard(events.RunAsync(_giveUp.Token), "presence events");
    }

    /// <summary>After the last session has left the directory: tells the other nodes and the host's listeners.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _loops.WaitAsync(cancellationToken);
        await publisher.TryPublishAsync(cancellationToken);
        events.Complete();
        try
        {
            await _telling.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await _giveUp.CancelAsync();
        }
    }
}
