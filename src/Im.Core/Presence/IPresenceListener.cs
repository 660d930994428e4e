namespace Im.Presence;

/// <summary>Told by the server when users and devices come and go, in the whole cluster.</summary>
/// <remarks>
/// <para>Each event is raised on one node: that of the session, or, for a node that died, the one that clears away after it. A device that signs in again
/// while its older session stands, on whichever node, raises nothing. Events are told at once, without the grace that subscribers' presence has.</para>
/// <para>In order for each user on a node, in batches, one at a time, each at most once; nobody waits for a listener. When it is slower than the events for
/// long, the oldest are dropped and counted. After a node has lost its lease or the directory its content, events may be raised again: take them as
/// what is so now.</para>
/// </remarks>
public interface IPresenceListener
{
    /// <summary>Who has come and gone. What it throws is logged.</summary>
    ValueTask ChangedAsync(IReadOnlyList<PresenceEvent> events, CancellationToken cancellationToken);
}
