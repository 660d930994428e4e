namespace Im.Presence;

/// <summary>Who may see whose presence; replace the default by <c>AddPresencePolicy&lt;T&gt;()</c>.</summary>
/// <remarks>
/// Asked when a client subscribes, before anything is told. By default a user sees those with whom there is a direct conversation, and the other members
/// of a conversation. Whatever the policy says, members are shown to members only, and only while both are.
/// </remarks>
public interface IPresencePolicy
{
    /// <summary>Those of the users whom the user may see.</summary>
    /// <param name="userId">Who asks.</param>
    /// <param name="targetIds">Whose presence; never the user's own, which everybody may see.</param>
    /// <param name="conversationId">The conversation that all of them are members of, where the subscription is to that; null otherwise.</param>
    /// <param name="cancellationToken">Cancelled when the server stops.</param>
    ValueTask<IReadOnlyCollection<string>> FindVisibleAsync(
        string userId, IReadOnlyList<string> targetIds, string? conversationId, CancellationToken cancellationToken);
}
