namespace Im.Client;

/// <summary>What <see cref="ImClient.StateChanged"/> tells.</summary>
public sealed class ImClientStateChangedEventArgs(ImClientState state, Exception? error) : EventArgs
{
    /// <summary>The new state.</summary>
    public ImClientState State { get; } = state;

    /// <summary>Why the previous state ended, where something failed.</summary>
    public Exception? Error { get; } = error;
}
