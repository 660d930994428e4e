namespace Im.Connections;

/// <content>What an operator is shown of a connection.</content>
internal sealed partial class Connection
{
    /// <summary>How long it has been open.</summary>
    public TimeSpan OpenFor => _time.GetElapsedTime(_openedAt);

    /// <summary>How long nothing has arrived.</summary>
    public TimeSpan SilentFor => _time.GetElapsedTime(Volatile.Read(ref _lastReceivedAt));

    /// <summary>Requests that are being handled or wait.</summary>
    public int PendingRequests => Volatile.Read(ref _pending);

    /// <summary>Whether reading is stopped.</summary>
    public bool IsPaused => Volatile.Read(ref _isPaused) != 0;
}
