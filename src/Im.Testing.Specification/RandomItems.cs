using Im.Fanout;
using Im.Model;
using Im.Storage;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>What the maker of random items knows of the groups.</summary>
internal interface IKnownGroups
{
    /// <summary>A group as it stands before the next batch; null = there is none.</summary>
    (string Fanout, IEnumerable<string> Members, long Version)? Find(string conversationId);
}

/// <summary>Makes random items, mostly valid ones, for the state that a model is in.</summary>
internal sealed class RandomItems(Random random, IKnownGroups known)
{
    private readonly Dictionary<string, Audience> _audiences = [];
    private readonly Dictionary<string, long> _versions = [];
    private readonly List<AppendItem> _made = [];
    private int _ids;

    public static string[] Groups { get; } = [.. Enumerable.Range(0, 6).Select(i => "g:" + i)];

    public static string[] Users { get; } = [.. Enumerable.Range(0, 8).Select(i => "u" + i)];

    public static string[] ConversationIds { get; } =
    [
        .. Groups,
        .. Users.SelectMany(one => Users.Select(other => ConversationId.Direct(one, other))).Distinct(),
    ];

    public AppendItem[] NextBatch()
    {
        _versions.Clear();
        var items = new AppendItem[random.Next(1, 11)];
        for (var i = 0; i < items.Length; i++)
        {
            items[i] = Next();
            _made.Add(items[i]);
        }

        return items;
    }

    private string User() => Users[random.Next(Users.Length)];

    private string[] Some(int percent) => [.. Users.Where(_ => random.Next(100) < percent)];

    private string Id() => "m" + _ids++;

    private AppendItem Next()
    {
        var group = Groups[random.Next(Groups.Length)];
        switch (random.Next(100))
        {
            case < 6 when _made.Count > 0:
                return _made[random.Next(_made.Count)];
            case < 8 when _made.Count > 0:
                var other = _made[random.Next(_made.Count)];
                return GroupMessage(group, other.SenderId, other.ClientMessageId);
            case < 48:
                return GroupMessage(group, User(), Id());
            case < 65:
                var (one, two) = (User(), User());
                var direct = ConversationId.Direct(one, two);
                return Message(direct, one, Audience(one, two), id: Id(), body: Body(), counts: random.Next(5) > 0);
            case < 67:
                var user = User();
                return Message(ConversationId.Own(user), user, Audience(user), id: Id(), counts: false);
            case < 80:
                return Mark(User(), ConversationIds[random.Next(ConversationIds.Length)], random.Next(-1, 40), Id());
            case < 84:
                return Create();
            case < 92:
                return GroupChange(group, new ConversationChange.ChangeMembers([.. Some(20)], [.. Some(20)]));
            case < 95:
                return GroupChange(group, new ConversationChange.SetGroupInfo(new GroupInfo("name" + random.Next(3))));
            case < 99:
                var fanout = random.Next(2) == 0 ? FanoutNames.Read : FanoutNames.Write;
                return GroupChange(group, new ConversationChange.SwitchFanout(fanout, random.Next(4) == 0));
            default:
                return GroupChange(group, new ConversationChange.DissolveGroup());
        }

        AppendItem Create()
        {
            var change = new ConversationChange.CreateGroup(
                new GroupInfo(group), random.Next(2) == 0 ? FanoutNames.Read : FanoutNames.Write, false, [.. Some(50)]);
            _versions[group] = 1;
            return Change(group, User(), Audience([.. change.Members]), random.Next(10) == 0 ? 1 : 0, change, Id());
        }
    }

    private AppendItem GroupMessage(string group, string sender, string id)
    {
        var state = known.Find(group);
        var audience = state?.Fanout == FanoutNames.Read ? Storage.Audience.None : Audience([.. state?.Members ?? []]);
        return Message(group, sender, audience, Version(group), id, Body(), counts: random.Next(5) > 0, timeMs: random.Next(1000));
    }

    private AppendItem GroupChange(string group, ConversationChange change)
    {
        var concerned = change is ConversationChange.ChangeMembers members ? members.Added.Union(members.Removed) : [];
        var present = known.Find(group)?.Members ?? [];
        var item = Change(group, User(), Audience([.. present.Union(concerned)]), Version(group), change, Id());
        _versions[group] = item.ExpectedVersion + 1;
        return item;
    }

    /// <summary>The version that the group has if the changes made for this batch so far are effective; sometimes another.</summary>
    private long Version(string group) =>
        random.Next(15) == 0 ? random.Next(5) : _versions.TryGetValue(group, out var version) ? version : known.Find(group)?.Version ?? 0;

    private string Body() => new('b', random.Next(1, 60));

    /// <summary>The same object for the same users, as the committer's cache would give.</summary>
    private Audience Audience(params string[] users)
    {
        var audience = To([.. users.Distinct()]);
        var key = string.Join(',', audience.UserIds);
        return _audiences.TryAdd(key, audience) ? audience : _audiences[key];
    }
}
