using System.Collections.Immutable;
using Im.Conversations;
using Im.Fanout;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Sync;
using Microsoft.Extensions.Options;
using GroupInfo = Im.Model.GroupInfo;

namespace Im.Groups;

/// <summary>Creates and changes groups, of any size: members are looked up or read in pages, and never loaded whole unless each one's inbox gets an entry.</summary>
internal sealed class ImGroups(
    ConversationCache conversations,
    IGroupStore store,
    GroupChanger changer,
    GroupRules rules,
    FanoutStrategies strategies,
    IOptions<ImServerOptions> options) : IImGroups
{
    private readonly ImServerOptions _options = options.Value;

    public async ValueTask<ImGroup> CreateAsync(NewGroup group, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(group);
        var groupId = group.GroupId ?? Guid.NewGuid().ToString("N");
        GroupRules.ThrowIfInvalid(groupId, group.ActorId);
        rules.ThrowIfUnknownFanout(group.Fanout);
        var members = Sort(group.MemberIds);
        rules.ThrowIfTooLarge(members.Length, group.Fanout);
        await rules.ThrowIfUnknownAsync(members, cancellationToken);

        // Who creates a group is a member from the first entry on.
        var parts = members.OrderBy(userId => userId != group.ActorId).Chunk(_options.MaxMembersPerChange).Select(Sort).ToArray();
        var fanout = group.Fanout ?? (members.Length > _options.MaxWriteFanoutMembers ? FanoutNames.Read : FanoutNames.Write);
        var created = Create(group, fanout, parts.Length == 0 ? [] : parts[0]);
        if (await changer.AppendAsync(created, ConversationId.Group(groupId), 0, group.ActorId, cancellationToken) != AppendOutcome.Stored)
        {
            throw new ImException(ImErrorCode.AlreadyExists, $"There is a group \"{groupId}\" already.");
        }

        foreach (var part in parts.Skip(1))
        {
            await AddAsync(groupId, part, group.ActorId, cancellationToken);
        }

        return (await GetAsync(groupId, cancellationToken))!;
    }

    public async ValueTask<ImGroup?> GetAsync(string groupId, CancellationToken cancellationToken = default) =>
        await conversations.GetAsync(ConversationId.Group(groupId), cancellationToken) is { Group: not null } info ? ToModel(info) : null;

    public async ValueTask<ImGroup> UpdateAsync(string groupId, GroupInfo info, string actorId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(info);
        return ToModel(await changer.ChangeAsync(
            groupId,
            actorId,
            current => new GroupChange(EntryKind.GroupChanged, new Entry { GroupChanged = new GroupChanged { Group = Describe(current, info) } })
            {
                Change = new ConversationChange.SetGroupInfo(info),
                Inboxes = current.WritesInboxes ? current.Members : [],
            },
            cancellationToken));
    }

    public async ValueTask DissolveAsync(string groupId, string actorId, CancellationToken cancellationToken = default)
    {
        GroupRules.ThrowIfInvalid(groupId, actorId);
        if (await changer.LoadAsync(groupId, cancellationToken) is { Group.IsDissolved: true })
        {
            return;
        }

        string? after = null;
        while (await changer.LoadAsync(groupId, cancellationToken) is { WritesInboxes: false } large
            && large.MemberCount > _options.MaxPinnedWriteFanoutMembers)
        {
            after = await DismissAsync(groupId, actorId, after, cancellationToken);
        }

        await changer.ChangeAsync(
            groupId,
            actorId,
            async current =>
            {
                (current, var members) = await changer.ReadAllAsync(current, cancellationToken);
                return (current, new GroupChange(EntryKind.GroupDissolved, new Entry { GroupDissolved = new GroupDissolved() })
                {
                    Change = new ConversationChange.DissolveGroup(),
                    Inboxes = members,
                    Closes = current.WritesInboxes ? [] : members,
                });
            },
            cancellationToken);
    }

    public async ValueTask<ImGroup> AddMembersAsync(
        string groupId, IReadOnlyList<string> userIds, string actorId, CancellationToken cancellationToken = default)
    {
        var wanted = Sort(userIds);
        rules.ThrowIfTooManyAtOnce(wanted);
        await rules.ThrowIfUnknownAsync(wanted, cancellationToken);
        var group = await AddAsync(groupId, wanted, actorId, cancellationToken);

        // The group crosses the threshold by itself, with an entry of its own, and never back.
        return ToModel(group.MemberCount > _options.MaxWriteFanoutMembers && !group.Group!.FanoutPinned
            ? await SwitchAsync(groupId, actorId, FanoutNames.Read, pin: false, cancellationToken)
            : group);
    }

    public async ValueTask<ImGroup> RemoveMembersAsync(
        string groupId, IReadOnlyList<string> userIds, string actorId, CancellationToken cancellationToken = default)
    {
        var wanted = Sort(userIds);
        rules.ThrowIfTooManyAtOnce(wanted);
        return ToModel(await changer.ChangeAsync(
            groupId,
            actorId,
            async current =>
            {
                (current, var removed) = await changer.FilterAsync(current, wanted, areMembers: true, cancellationToken);
                var info = Describe(current, current.Group!.Info, current.MemberCount - removed.Length);
                return (current, Remove(
                    current, removed, EntryKind.MembersChanged, new Entry { MembersChanged = new MembersChanged { Removed = { removed }, Group = info } }));
            },
            cancellationToken));
    }

    public async ValueTask<ImGroup> SetFanoutAsync(string groupId, string fanout, string actorId, CancellationToken cancellationToken = default)
    {
        rules.ThrowIfUnknownFanout(fanout);
        return ToModel(await SwitchAsync(groupId, actorId, fanout, pin: true, cancellationToken));
    }

    public async ValueTask<IReadOnlyList<string>> ListMembersAsync(
        string groupId, string? afterUserId = null, int limit = 100, CancellationToken cancellationToken = default)
    {
        ImConversations.ThrowIfOutOfRange(limit);
        var page = await store.ReadMembersAsync(ConversationId.Group(groupId), afterUserId, limit, cancellationToken)
            ?? throw new ImException(ImErrorCode.UnknownConversation, $"There is no group \"{groupId}\".");
        return [.. page.Members.Select(member => member.UserId)];
    }

    private GroupChange Create(NewGroup group, string fanout, ImmutableArray<string> members) => new(
        EntryKind.GroupCreated,
        new Entry { GroupCreated = new GroupCreated { Group = GroupMapping.ToWire(group.Info, fanout, members.Length, 1), Members = { members } } })
    {
        Change = new ConversationChange.CreateGroup(group.Info, fanout, group.Fanout is not null, members),
        Inboxes = members,
        Opens = strategies.Get(fanout).WritesInboxes ? [] : members,
    };

    private ValueTask<ConversationInfo> AddAsync(
        string groupId, ImmutableArray<string> wanted, string actorId, CancellationToken cancellationToken) => changer.ChangeAsync(
        groupId,
        actorId,
        async current =>
        {
            (current, var added) = await changer.FilterAsync(current, wanted, areMembers: false, cancellationToken);
            if (added.IsEmpty)
            {
                return (current, null);
            }

            var group = current.Group!;
            var count = current.MemberCount + added.Length;
            rules.ThrowIfTooLarge(count, group.FanoutPinned ? group.Fanout : null);
            var body = new MembersChanged { Added = { added }, Group = Describe(current, group.Info, count) };
            return (current, new GroupChange(EntryKind.MembersChanged, new Entry { MembersChanged = body })
            {
                Change = new ConversationChange.ChangeMembers(added, []),
                Inboxes = current.WritesInboxes ? Sort([.. current.Members, .. added]) : added,
                Opens = current.WritesInboxes ? [] : added,
            });
        },
        cancellationToken);

    private static GroupChange? Remove(ConversationInfo current, ImmutableArray<string> removed, EntryKind kind, Entry body) => removed.IsEmpty
        ? null
        : new GroupChange(kind, body)
        {
            Change = new ConversationChange.ChangeMembers([], removed),
            Inboxes = current.WritesInboxes ? current.Members : removed,
            Closes = current.WritesInboxes ? [] : removed,
        };

    // A part of a very large group is told that it was dissolved, and leaves. Returns after whom the next part begins.
    private async ValueTask<string?> DismissAsync(string groupId, string actorId, string? after, CancellationToken cancellationToken)
    {
        var page = await store.ReadMembersAsync(ConversationId.Group(groupId), after, _options.MaxPinnedWriteFanoutMembers, cancellationToken);
        if (page is not { Members.Count: > 0 })
        {
            // Others have joined behind; or they have left, and another node knows it.
            await conversations.ReloadAsync(ConversationId.Group(groupId), cancellationToken);
            return null;
        }

        var members = Sort(page.Members.Select(member => member.UserId));
        await changer.ChangeAsync(
            groupId,
            actorId,
            async current =>
            {
                var removed = members;
                if (current.Version != page.Version)
                {
                    (current, removed) = await changer.FilterAsync(current, members, areMembers: true, cancellationToken);
                }

                return (current, Remove(current, removed, EntryKind.GroupDissolved, new Entry { GroupDissolved = new GroupDissolved() }));
            },
            cancellationToken);
        return page.Members[^1].UserId;
    }

    private ValueTask<ConversationInfo> SwitchAsync(
        string groupId, string actorId, string fanout, bool pin, CancellationToken cancellationToken) => changer.ChangeAsync(
        groupId,
        actorId,
        async current =>
        {
            var group = current.Group!;
            if ((group.Fanout == fanout && group.FanoutPinned == pin) || (!pin && group.FanoutPinned))
            {
                return (current, null);
            }

            ImmutableArray<string> everyone = [];
            var writes = strategies.Get(fanout).WritesInboxes;
            if (writes)
            {
                rules.ThrowIfTooLarge(current.MemberCount, fanout);
            }

            if (current.WritesInboxes || writes)
            {
                (current, everyone) = await changer.ReadAllAsync(current, cancellationToken);
            }

            return (current, new GroupChange(EntryKind.FanoutChanged, new Entry { FanoutChanged = new FanoutChanged { Fanout = GroupMapping.ToWire(fanout) } })
            {
                Change = new ConversationChange.SwitchFanout(fanout, pin),
                Inboxes = everyone,
                Opens = current.WritesInboxes && !writes ? everyone : [],
                Closes = !current.WritesInboxes && writes ? everyone : [],
            });
        },
        cancellationToken);

    private static Protocol.GroupInfo Describe(ConversationInfo current, GroupInfo info, int? memberCount = null) =>
        GroupMapping.ToWire(info, current.Group!.Fanout, memberCount ?? current.MemberCount, current.Version + 1);

    private static ImmutableArray<string> Sort(IEnumerable<string> userIds) =>
        [.. userIds.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static ImGroup ToModel(ConversationInfo info) => new()
    {
        GroupId = info.ConversationId[2..],
        ConversationId = info.ConversationId,
        Info = info.Group!.Info,
        MemberCount = info.MemberCount,
        Version = info.Version,
        Fanout = info.Group.Fanout,
        IsDissolved = info.Group.IsDissolved,
    };
}
