using Im.Protocol;
using Microsoft.Extensions.Logging;

namespace Im.Client.Internal;

/// <summary>What the connections of one client share. <see cref="Received"/> belongs to the connection loop, which runs one session at a time.</summary>
internal sealed class SessionHost(ImClientOptions options, ILogger logger, Outbox outbox, EventStream events)
{
    private int _ackDue;
    private uint _lastAttempt;

    public ImClientOptions Options { get; } = options;

    public ILogger Logger { get; } = logger;

    public Outbox Outbox { get; } = outbox;

    public EventStream Events { get; } = events;

    /// <summary>The rooms that the application is in.</summary>
    public RoomBook Rooms { get; } = new();

    /// <summary>Whose presence the application subscribes to.</summary>
    public PresenceBook Presence { get; } = new();

    /// <summary>What has arrived: the position of the last entry that is in the buffer or beyond it.</summary>
    public CursorSet Received { get; } = new(ImCursors.None);

    /// <summary>Whether a sign-in of this process has said whose cursors these are.</summary>
    public bool UserIsConfirmed { get; set; }

    /// <summary>Random for each start of this client.</summary>
    public string InstanceId { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Called when a connection is signed in.</summary>
    public required Action<SignedIn> SignedIn { get; init; }

    /// <summary>
    /// The number of the next connection: a sign-in that was given up and arrives late does not replace a later one. Called by the connection loop.
    /// </summary>
    public uint NextAttempt() => ++_lastAttempt;

    /// <summary>The application has stored more: tell the server with the next write.</summary>
    public void RequestAck()
    {
        Volatile.Write(ref _ackDue, 1);
        Outbox.Ready.Set();
    }

    /// <summary>The device ack to write now, if one is due to a server of this generation.</summary>
    public bool TryTakeAck(string generation, out DeviceAck ack)
    {
        ack = null!;
        return Interlocked.Exchange(ref _ackDue, 0) != 0 && Events.TryTakeAck(generation, out ack);
    }
}
