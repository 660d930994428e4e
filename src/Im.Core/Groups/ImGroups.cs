using System.Collections.Immutable;
using Google.Protobuf;
using Im.Conversations;
using Im.Fanout;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Sync;
using Im.Users;
using Microsoft.Extensions.Options;
using GroupInfo = Im.Model.GroupInfo;

namespace Im.Groups;

/// <summary>Creates and changes groups. A change is computed from one membership version and appended for that version only; a stale one is computed again.</summary>
internal sealed class ImGroups(
    ConversationCache conversations, FanoutStrategies strategies, UserDirectory users, Committer committer, IOptions<ImServerOptions> options) : IImGroups
{
    private const int MaxAttempts = 16;

    private readonly ImServerOptions _options = options.Value;

    public async ValueTask<ImGroup> CreateAsync(NewGroup group, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(group);
        var groupId = group.GroupId ?? Guid.NewGuid().ToString("N");
        ThrowIfInvalid(groupId, group.ActorId);
        ThrowIfUnknownFanout(group.Fanout);
        var members = Sort(group.MemberIds);
        if (members.Length > _options.MaxGroupMembers)
        {
            throw TooManyMembers(members.Length);
        }

        await ThrowIfUnknownAsync(members, cancellationToken);

        var conversationId = ConversationId.Group(groupId);
        var fanout = group.Fanout ?? (members.Length > _options.MaxWriteFanoutMembers ? FanoutNames.Read : FanoutNames.Write);
        var created = new GroupCreated { Group = GroupMapping.ToWire(group.Info, fanout, members.Length, 1) };
        if (members.Length <= _options.MaxMembersPerChange)
        {
            created.Members.AddRange(members);
        }

        var outcome = await AppendAsync(
            new GroupChange(EntryKind.GroupCreated, new Entry { GroupCreated = created })
            {
                Change = new ConversationChange.CreateGroup(group.Info, fanout, group.Fanout is not null, members),
                Inboxes = members,
                Opens = strategies.Get(fanout).WritesInboxes ? [] : members,
            },
            conversationId,
            expectedVersion: 0,
            group.ActorId,
            cancellationToken);
        return outcome == AppendOutcome.Stored
            ? (await GetAsync(groupId, cancellationToken))!
            : throw new ImException(ImErrorCode.AlreadyExists, $"There is a group \"{groupId}\" already.");
    }

    public async ValueTask<ImGroup?> GetAsync(string groupId, CancellationToken cancellationToken = default) =>
        await conversations.GetAsync(ConversationId.Group(groupId), cancellationToken) is { Group: not null } info ? ToModel(info) : null;

    public async ValueTask<ImGroup> UpdateAsync(string groupId, GroupInfo info, string actorId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(info);
        return await ChangeAsync(
            groupId,
            actorId,
            current => new GroupChange(EntryKind.GroupChanged, new Entry { GroupChanged = new GroupChanged { Group = Describe(current, info) } })
            {
                Change = new ConversationChange.SetGroupInfo(info),
                Inboxes = current.WritesInboxes ? current.Members : [],
            },
            cancellationToken);
    }

    public async ValueTask DissolveAsync(string groupId, string actorId, CancellationToken cancellationToken = default)
    {
        if (await LoadAsync(groupId, cancellationToken) is { Group.IsDissolved: true })
        {
            return;
        }

        await ChangeAsync(
            groupId,
            actorId,
            current => new GroupChange(EntryKind.GroupDissolved, new Entry { GroupDissolved = new GroupDissolved() })
            {
                Change = new ConversationChange.DissolveGroup(),
                Inboxes = current.Members,
                Closes = current.WritesInboxes ? [] : current.Members,
            },
            cancellationToken);
    }

    public async ValueTask<ImGroup> AddMembersAsync(
        string groupId, IReadOnlyList<string> userIds, string actorId, CancellationToken cancellationToken = default)
    {
        var wanted = Sort(userIds);
        ThrowIfTooMany(wanted);
        await ThrowIfUnknownAsync(wanted, cancellationToken);
        var group = await ChangeAsync(groupId, actorId, current => Add(current, wanted), cancellationToken);

        // The group crosses the threshold by itself, with an entry of its own, and never back.
        return group.MemberCount > _options.MaxWriteFanoutMembers
            ? await ChangeAsync(groupId, actorId, current => current.Group!.FanoutPinned ? null : Switch(current, FanoutNames.Read, isPinned: false), cancellationToken)
            : group;
    }

    public async ValueTask<ImGroup> RemoveMembersAsync(
        string groupId, IReadOnlyList<string> userIds, string actorId, CancellationToken cancellationToken = default)
    {
        var wanted = Sort(userIds);
        ThrowIfTooMany(wanted);
        return await ChangeAsync(groupId, actorId, current => Remove(current, wanted), cancellationToken);
    }

    public async ValueTask<ImGroup> SetFanoutAsync(string groupId, string fanout, string actorId, CancellationToken cancellationToken = default)
    {
        ThrowIfUnknownFanout(fanout);
        return await ChangeAsync(groupId, actorId, current => Switch(current, fanout, isPinned: true), cancellationToken);
    }

    public async ValueTask<IReadOnlyList<string>> ListMembersAsync(
        string groupId, string? afterUserId = null, int limit = 100, CancellationToken cancellationToken = default)
    {
        ImConversations.ThrowIfOutOfRange(limit);
        var members = (await LoadAsync(groupId, cancellationToken)).Members;
        var start = 0;
        if (afterUserId is not null)
        {
            var found = members.BinarySearch(afterUserId, StringComparer.Ordinal);
            start = found < 0 ? ~found : found + 1;
        }

        return members.AsSpan().Slice(start, Math.Min(limit, members.Length - start)).ToArray();
    }

    private GroupChange? Add(ConversationInfo current, ImmutableArray<string> wanted)
    {
        ImmutableArray<string> added = [.. wanted.Where(userId => !current.IsMember(userId))];
        if (added.IsEmpty)
        {
            return null;
        }

        var count = current.Members.Length + added.Length;
        if (count > _options.MaxGroupMembers)
        {
            throw TooManyMembers(count);
        }

        var body = new MembersChanged { Added = { added }, Group = Describe(current, current.Group!.Info, count) };
        return new GroupChange(EntryKind.MembersChanged, new Entry { MembersChanged = body })
        {
            Change = new ConversationChange.ChangeMembers(added, []),
            Inboxes = current.WritesInboxes ? Sort([.. current.Members, .. added]) : added,
            Opens = current.WritesInboxes ? [] : added,
        };
    }

    private static GroupChange? Remove(ConversationInfo current, ImmutableArray<string> wanted)
    {
        ImmutableArray<string> removed = [.. wanted.Where(current.IsMember)];
        if (removed.IsEmpty)
        {
            return null;
        }

        var body = new MembersChanged
        {
            Removed = { removed },
            Group = Describe(current, current.Group!.Info, current.Members.Length - removed.Length),
        };
        return new GroupChange(EntryKind.MembersChanged, new Entry { MembersChanged = body })
        {
            Change = new ConversationChange.ChangeMembers([], removed),
            Inboxes = current.WritesInboxes ? current.Members : removed,
            Closes = current.WritesInboxes ? [] : removed,
        };
    }

    private GroupChange? Switch(ConversationInfo current, string fanout, bool isPinned)
    {
        if (current.Group!.Fanout == fanout && current.Group.FanoutPinned == isPinned)
        {
            return null;
        }

        var writes = strategies.Get(fanout).WritesInboxes;
        return new GroupChange(EntryKind.FanoutChanged, new Entry { FanoutChanged = new FanoutChanged { Fanout = GroupMapping.ToWire(fanout) } })
        {
            Change = new ConversationChange.SwitchFanout(fanout, isPinned),
            Inboxes = current.WritesInboxes || writes != current.WritesInboxes ? current.Members : [],
            Opens = current.WritesInboxes && !writes ? current.Members : [],
            Closes = !current.WritesInboxes && writes ? current.Members : [],
        };
    }

    // Computes the change from the group as it is, and again where the group has changed meanwhile. No change: nothing to do.
    private async ValueTask<ImGroup> ChangeAsync(
        string groupId, string actorId, Func<ConversationInfo, GroupChange?> compute, CancellationToken cancellationToken)
    {
        ThrowIfInvalid(groupId, actorId);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var current = await LoadAsync(groupId, cancellationToken);
            if (current.Group!.IsDissolved)
            {
                throw new ImException(ImErrorCode.Dissolved, $"The group \"{groupId}\" was dissolved.");
            }

            if (compute(current) is not { } change)
            {
                return ToModel(current);
            }

            var outcome = await AppendAsync(change, current.ConversationId, current.Version, actorId, cancellationToken);
            if (outcome != AppendOutcome.StaleVersion)
            {
                return ToModel(await LoadAsync(groupId, cancellationToken));
            }
        }

        throw new ImException(ImErrorCode.Conflict, $"The group \"{groupId}\" changes too often; try again.");
    }

    private async ValueTask<AppendOutcome> AppendAsync(
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

    private async ValueTask<ConversationInfo> LoadAsync(string groupId, CancellationToken cancellationToken) =>
        await conversations.GetAsync(ConversationId.Group(groupId), cancellationToken) is { Group: not null } info
            ? info
            : throw new ImException(ImErrorCode.UnknownConversation, $"There is no group \"{groupId}\".");

    private async ValueTask ThrowIfUnknownAsync(ImmutableArray<string> userIds, CancellationToken cancellationToken)
    {
        var unknown = await users.FindUnknownAsync(userIds, cancellationToken);
        if (unknown.Count > 0)
        {
            throw new ImException(ImErrorCode.UnknownUser, $"There are no users {string.Join(", ", unknown.Take(10).Select(userId => $"\"{userId}\""))}.");
        }
    }

    private void ThrowIfTooMany(ImmutableArray<string> userIds)
    {
        if (userIds.Length > _options.MaxMembersPerChange)
        {
            throw new ImException(ImErrorCode.InvalidArgument, $"{userIds.Length} members in one change; the limit (MaxMembersPerChange) is {_options.MaxMembersPerChange}.");
        }
    }

    private void ThrowIfUnknownFanout(string? fanout)
    {
        if (fanout is not null && !strategies.IsKnown(fanout))
        {
            throw new ImException(ImErrorCode.InvalidArgument, $"There is no fan-out strategy \"{fanout}\"; use {nameof(FanoutNames)}.{nameof(FanoutNames.Write)} or {nameof(FanoutNames.Read)}.");
        }
    }

    private static void ThrowIfInvalid(string groupId, string actorId)
    {
        if (!Ids.IsId(groupId, Ids.MaxGroupIdBytes))
        {
            throw new ImException(ImErrorCode.InvalidArgument, $"A group id is 1–{Ids.MaxGroupIdBytes} bytes without control characters.");
        }

        if (!Ids.IsId(actorId))
        {
            throw new ImException(ImErrorCode.InvalidArgument, "ActorId must be a user's id, or a name that begins with '$' for a system sender.");
        }
    }

    private ImException TooManyMembers(int count) =>
        new(ImErrorCode.TooManyMembers, $"The group would have {count} members; the limit (MaxGroupMembers) is {_options.MaxGroupMembers}.");

    private static Protocol.GroupInfo Describe(ConversationInfo current, GroupInfo info, int? memberCount = null) =>
        GroupMapping.ToWire(info, current.Group!.Fanout, memberCount ?? current.Members.Length, current.Version + 1);

    private static ImmutableArray<string> Sort(IEnumerable<string> userIds) =>
        [.. userIds.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static ImGroup ToModel(ConversationInfo info) => new()
    {
        GroupId = info.ConversationId[2..],
        ConversationId = info.ConversationId,
        Info = info.Group!.Info,
        MemberCount = info.Members.Length,
        Version = info.Version,
        Fanout = info.Group.Fanout,
        IsDissolved = info.Group.IsDissolved,
    };

    /// <summary>A change as computed from one version of a group.</summary>
    private sealed record GroupChange(EntryKind Kind, Entry Body)
    {
        public required ConversationChange Change { get; init; }

        public required ImmutableArray<string> Inboxes { get; init; }

        public ImmutableArray<string> Opens { get; init; } = [];

        public ImmutableArray<string> Closes { get; init; } = [];
    }
}
