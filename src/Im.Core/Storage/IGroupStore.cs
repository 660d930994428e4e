using System.Collections.Immutable;
using Im.Model;

namespace Im.Storage;

/// <summary>Reads groups. They change only through <see cref="IMessageStore.AppendAsync"/>.</summary>
public interface IGroupStore
{
    /// <summary>The groups in order, each with the members of exactly its version; null = no such group.</summary>
    ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(IReadOnlyList<string> conversationIds, CancellationToken cancellationToken);
}

/// <summary>A group and its members at one membership version.</summary>
/// <param name="ConversationId">The group's conversation.</param>
/// <param name="Info">Name, avatar, extra.</param>
/// <param name="Version">The membership version.</param>
/// <param name="Fanout">The name of its fan-out strategy.</param>
/// <param name="FanoutPinned">Whether the fan-out stays whatever the number of members.</param>
/// <param name="IsDissolved">Whether it was dissolved; then it has no members.</param>
/// <param name="Members">The members' user ids, sorted by <see cref="StringComparer.Ordinal"/>.</param>
public sealed record StoredGroup(
    string ConversationId, GroupInfo Info, long Version, string Fanout, bool FanoutPinned, bool IsDissolved, ImmutableArray<string> Members);
