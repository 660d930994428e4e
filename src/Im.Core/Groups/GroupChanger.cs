using System.Collections.Immutable;
using Google.Protobuf;
using Im.Conversations;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Im.Storage;

namespace Im.Groups;

/// <summary>Changes one group: a change is computed from one membership version and appended for that version only; a stale one is computed again.</summary>
internal sealed class GroupChanger(ConversationCache conversations, IGroupStore store, Committer committer)
{
    public const int PageSize = 1000;

    private const int MaxAttempts = 16;

    public async ValueTask<ConversationInfo> LoadAsync(string groupId, CancellationToken cancellationToken) =>
        await conversations.GetAsync(ConversationId.Group(groupId), cancellationToken) is { Group: not null } info
            ? info
            : throw new ImException(ImErrorCode.UnknownConversation, $"There is no group \"{groupId}\".");

    /// <summary>Computes the change from the group as it is, and again where the group has changed meanwhile. No change: nothing to do.</summary>
    public ValueTask<ConversationInfo> ChangeAsync(
        string groupId, string actorId, Func<ConversationInfo, GroupChange?> compute, CancellationToken cancellationToken) =>
        ChangeAsync(groupId, actorId, current => new((current, compute(current))), cancellationToken);

    /// <summary>As the other one, where computing needs the store: the answer says from which version of the group it was computed.</summary>
    public async ValueTask<ConversationInfo> ChangeAsync(
        string groupId,
        string actorId,
        Func<ConversationInfo, ValueTask<(ConversationInfo Current, GroupChange? Change)>> compute,
        CancellationToken cancellationToken)
    {
        GroupRules.ThrowIfInvalid(groupId, actorId);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var current = await LoadAsync(groupId, cancellationToken);
            GroupChange? change = null;
            if (!current.Group!.IsDissolved)
            {
                (current, change) = await compute(current);
            }

            if (current.Group!.IsDissolved)
            {
                throw new ImException(ImErrorCode.Dissolved, $"The group \"{groupId}\" was dissolved.");
            }

            if (change is null)
            {
                // What is kept may be older than what another node has changed: that there is nothing to do is true of the newest only.
                var newest = await conversations.ReloadAsync(current.ConversationId, cancellationToken);
                if (newest is null || newest.Version <= current.Version)
                {
                    return current;
                }

                continue;
            }

            if (await AppendAsync(change, current.ConversationId, current.Version, actorId, cancellationToken) != AppendOutcome.StaleVersion)
            {
                return await LoadAsync(groupId, cancellationToken);
            }
        }

        throw ChangesTooOften(groupId);
    }

    public async ValueTask<AppendOutcome> AppendAsync(
        GroupChange change, string conversationId, long expectedVersion, string actorId, CancellationToken cancellationToken)
    {
        var body = change.Body.ToByteArray();
        var pending = new PendingChange
        {
            SenderId = actorId,
            ClientMessageId = Guid.NewGuid().ToString("N"),
            ConversationId = conversationId,
            Kind = change.Kind,
            Hash = ContentHash.Of(body),
            Body = body,
            Change = change.Change,
            ExpectedVersion = expectedVersion,
            Audience = new Audience(change.Inboxes),
            Opens = change.Opens,
            Closes = change.Closes,
        };
        await committer.SubmitAsync(pending, cancellationToken);
        return (await pending.Completion.WaitAsync(cancellationToken)).Outcome;
    }

    /// <summary>Those of the users who are members, or those who are not, at the version that is returned.</summary>
    public async ValueTask<(ConversationInfo Current, ImmutableArray<string> UserIds)> FilterAsync(
        ConversationInfo current, ImmutableArray<string> userIds, bool areMembers, CancellationToken cancellationToken)
    {
        (current, var isMember) = await conversations.FindMembersAsync(current, userIds, isLane: false, cancellationToken);
        return (current, [.. userIds.Where((_, i) => isMember[i] == areMembers)]);
    }

    /// <summary>All members at the version that is returned, read in pages where they are not at hand; read again where the group changes meanwhile.</summary>
    public async ValueTask<(ConversationInfo Current, ImmutableArray<string> Members)> ReadAllAsync(
        ConversationInfo current, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (current.HasMembers)
            {
                return (current, current.Members);
            }

            if (await TryReadAllAsync(current, cancellationToken) is { IsDefault: false } members)
            {
                return (current, members);
            }

            current = await conversations.ReloadAsync(current.ConversationId, cancellationToken) ?? current;
        }

        throw ChangesTooOften(current.ConversationId[2..]);
    }

    private async ValueTask<ImmutableArray<string>> TryReadAllAsync(ConversationInfo current, CancellationToken cancellationToken)
    {
        var members = ImmutableArray.CreateBuilder<string>(current.MemberCount);
        string? after = null;
        while (await store.ReadMembersAsync(current.ConversationId, after, PageSize, cancellationToken) is { } page && page.Version == current.Version)
        {
            members.AddRange(page.Members.Select(member => member.UserId));
            if (page.Members.Count < PageSize)
            {
                members.Sort(StringComparer.Ordinal);
                return members.DrainToImmutable();
            }

            after = page.Members[^1].UserId;
        }

        return default;
    }

    private static ImException ChangesTooOften(string groupId) =>
        new(ImErrorCode.Conflict, $"The group \"{groupId}\" changes too often; try again.");
}
