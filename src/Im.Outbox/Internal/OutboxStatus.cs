namespace Im.Outbox.Internal;

/// <summary>How the relay is, for the health check.</summary>
internal sealed class OutboxStatus
{
    private volatile Exception? _failure;

    /// <summary>Why the host's database cannot be used; null = it can.</summary>
    public Exception? Failure
    {
        get => _failure;
        set => _failure = value;
    }
}
