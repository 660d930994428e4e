namespace Im.Client;

/// <summary>Where a client stands.</summary>
public enum ImClientState
{
    /// <summary><see cref="ImClient.ConnectAsync"/> was not called yet.</summary>
    Idle,

    /// <summary>The first connection is being made, or its next attempt waited for.</summary>
    Connecting,

    /// <summary>Signed in.</summary>
    Connected,

    /// <summary>The connection was lost; the client waits for the next attempt or makes it.</summary>
    Reconnecting,

    /// <summary>Disposed, or closed for good by the server; see <see cref="ImClient.Closed"/>.</summary>
    Closed,
}
