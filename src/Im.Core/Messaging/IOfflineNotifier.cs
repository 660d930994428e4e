using Im.Model;

namespace Im.Messaging;

/// <summary>Told of messages for users who have no session, for example to send a vendor push. Registered with <c>AddOfflineNotifier&lt;T&gt;()</c>.</summary>
/// <remarks>
/// Called after the commit, in batches, at most once: not called for what was committed just before a crash. A slow notifier holds nothing back:
/// where batches come faster than they are handled, the oldest are dropped and counted. Exceptions are logged.
/// </remarks>
public interface IOfflineNotifier
{
    /// <summary>Each notice is one stored message with those of its recipients who were not connected.</summary>
    ValueTask NotifyAsync(IReadOnlyList<OfflineNotice> notices, CancellationToken cancellationToken);
}

/// <summary>A stored message and the recipients who were not connected. The sender is never among them.</summary>
public sealed record OfflineNotice(
    string ConversationId, long Seq, string SenderId, MessageContent Content, IReadOnlyList<string> UserIds);
