using Im.Devices;
using Im.Storage;
using Im.Timelines;

namespace Im.Testing.Specification;

public abstract partial class StorageModelSpecification
{
    private async Task DoSomethingAsync()
    {
        var user = Pick(RandomItems.Users);
        var conversation = Pick(RandomItems.ConversationIds);
        switch (_random.Next(24))
        {
            case < 4:
                await ComparePageAsync(user, _random.Next(Inbox(user).Count + 2), _random.Next(1, 60));
                break;
            case < 8:
                await CompareEntriesAsync(conversation);
                break;
            case < 11:
                await CompareListsAsync(user, _random.Next(1, 10));
                break;
            case < 14:
                await CompareReadTimelinesAsync(user);
                break;
            case < 16:
                await AckAsync(user, conversation);
                break;
            case < 19:
                await CompareSentAsync();
                break;
            case 19:
                await SaveDeviceAsync(user);
                break;
            case 20:
                await EraseAsync(user, conversation);
                break;
            case 21:
                await ExpireConversationsAsync();
                break;
            case 22:
                await ExpireInboxesAsync();
                break;
            default:
                await ReopenAsync();
                break;
        }
    }

    private async Task ComparePageAsync(string user, long after, int limit)
    {
        var page = await ReadAsync(user, after, limit);
        var expected = (await Reference.Messages.ReadInboxesAsync([new(user, new(after), limit)], CancellationToken.None).Soon())[0].Head;
        Assert.Equal((expected.Head, expected.Ordinal), (page.Head.Head, page.Head.Ordinal));

        // Chunks are forgotten whole, and an adapter's may be larger.
        Assert.InRange(page.Head.Floor, 1, expected.Floor);
        var first = Math.Max(after + 1, page.Head.Floor);
        Assert.Equal(first, page.First.Value);
        Assert.Equal(Inbox(user).Skip((int)first - 1).Take(limit), Expand(page.Runs));
    }

    private async Task CompareEntriesAsync(string id)
    {
        var head = (await HeadAsync(TimelineKey.Conversation(id))).Head;
        if (head == 0)
        {
            return;
        }

        var first = _random.NextInt64(1, head + 1);
        var run = new Run(id, new(first), (int)_random.NextInt64(1, head - first + 2));
        var maxBytes = _random.Next(0, 500);
        var expected = await Reference.Messages.ReadEntriesAsync([run], maxBytes, CancellationToken.None).Soon();
        CompareEntries(expected, await ExpandAsync([run], maxBytes));
    }

    private static void CompareEntries(IReadOnlyList<StoredEntry> expected, IReadOnlyList<StoredEntry> actual)
    {
        Assert.Equal(expected.Select(WithoutBody), actual.Select(WithoutBody));
        Assert.All(expected.Zip(actual), pair => Assert.True(pair.First.Body.Span.SequenceEqual(pair.Second.Body.Span)));
    }

    // Bodies are compared by their bytes.
    private static StoredEntry WithoutBody(StoredEntry entry) => entry with { Body = default };

    private async Task CompareListsAsync(string user, int limit)
    {
        var after = _random.Next(3) == 0 ? null : Pick(RandomItems.ConversationIds);
        CompareConversations(
            await Reference.Conversations.ListAsync(user, after, limit, CancellationToken.None).Soon(),
            await Conversations.ListAsync(user, after, limit, CancellationToken.None).Soon());
        var expected = await Reference.Conversations.GetSnapshotAsync(user, CancellationToken.None).Soon();
        var actual = await Conversations.GetSnapshotAsync(user, CancellationToken.None).Soon();
        Assert.Equal(expected.Seq, actual.Seq);
        CompareConversations(expected.Conversations, actual.Conversations);
        CompareConversations(
            await Reference.Conversations.GetAsync(user, RandomItems.ConversationIds, CancellationToken.None).Soon(),
            await Conversations.GetAsync(user, RandomItems.ConversationIds, CancellationToken.None).Soon());
    }

    private static void CompareConversations(IReadOnlyList<UserConversation?> expected, IReadOnlyList<UserConversation?> actual)
    {
        Assert.Equal(expected.Select(WithoutEntry), actual.Select(WithoutEntry));
        CompareEntries([.. expected.Select(seen => seen?.LastEntry).OfType<StoredEntry>()], [.. actual.Select(seen => seen?.LastEntry).OfType<StoredEntry>()]);

        static UserConversation? WithoutEntry(UserConversation? seen) => seen is null ? null : seen with { LastEntry = null };
    }

    private async Task CompareReadTimelinesAsync(string user)
    {
        // Between commits: inside of one the order is the adapter's. And not below a floor: such a device begins anew.
        var known = RandomItems.ConversationIds.Where(_ => _random.Next(2) == 0).ToList();
        _ = Inbox(user);
        var floor = (await Reference.Messages.GetHeadsAsync([TimelineKey.Inbox(user)], CancellationToken.None).Soon())[0].Floor;
        var after = new InboxSeq(Math.Max(floor - 1, Pick(_ends[user])));
        var expected = await Reference.Conversations.GetReadTimelinesAsync(user, known, after, CancellationToken.None).Soon();
        var actual = await Conversations.GetReadTimelinesAsync(user, known, after, CancellationToken.None).Soon();
        Assert.Equal(
            expected.OrderBy(part => part.ConversationId, StringComparer.Ordinal).ThenBy(part => part.After),
            actual.OrderBy(part => part.ConversationId, StringComparer.Ordinal));
        foreach (var id in RandomItems.ConversationIds.Where(_ => _random.Next(4) == 0))
        {
            Assert.Equal(
                await Reference.Conversations.GetMembershipsAsync(user, id, CancellationToken.None).Soon(),
                await Conversations.GetMembershipsAsync(user, id, CancellationToken.None).Soon());
        }
    }

    private async Task CompareSentAsync()
    {
        var keys = _sent.OrderBy(_ => _random.Next()).Take(5).Append(new SentKey("u0", "never")).ToList();
        Assert.Equal(
            await Reference.Messages.FindSentAsync(keys, CancellationToken.None).Soon(),
            await Messages.FindSentAsync(keys, CancellationToken.None).Soon());
    }

    private async Task AckAsync(string user, string conversation)
    {
        var timeline = _random.Next(2) == 0 ? TimelineKey.Inbox(user) : TimelineKey.Conversation(conversation);
        var ack = new DeviceTimelineAck(user, "device" + _random.Next(2), timeline, _random.Next(-1, 100));
        foreach (var stores in new[] { Reference, Stores })
        {
            await stores.Devices.AckAsync([ack], CancellationToken.None).Soon();
        }

        await CompareDevicesAsync(user, timeline);
    }

    private async Task SaveDeviceAsync(string user)
    {
        var device = new ImDevice
        {
            UserId = user,
            DeviceId = "device" + _random.Next(2),
            Os = "os" + _random.Next(5),
            LastSignInMs = _random.Next(1000),
        };
        var forget = Stores.UserData is not null && Reference.UserData is not null && _random.Next(4) == 0;
        foreach (var stores in new[] { Reference, Stores })
        {
            await (forget ? stores.UserData!.ForgetDevicesAsync(user, CancellationToken.None) : stores.Devices.SaveAsync(device, CancellationToken.None))
                .Soon();
        }

        await CompareDevicesAsync(user, TimelineKey.Inbox(user));
    }

    private async Task CompareDevicesAsync(string user, TimelineKey timeline)
    {
        Assert.Equal(
            await Reference.Devices.ListAsync(user, CancellationToken.None).Soon(), await Devices.ListAsync(user, CancellationToken.None).Soon());
        for (var d = 0; d < 2; d++)
        {
            Assert.Equal(
                await Reference.Devices.GetAckAsync(user, "device" + d, timeline, CancellationToken.None).Soon(),
                await Devices.GetAckAsync(user, "device" + d, timeline, CancellationToken.None).Soon());
        }
    }

    private async Task CompareAllAsync()
    {
        foreach (var user in RandomItems.Users)
        {
            await CompareListsAsync(user, 100);
            await CompareReadTimelinesAsync(user);
            await CompareDevicesAsync(user, TimelineKey.Inbox(user));
            await ComparePageAsync(user, 0, int.MaxValue);
        }

        var timelines = RandomItems.ConversationIds.Select(TimelineKey.Conversation).ToList();
        var heads = await Messages.GetHeadsAsync(timelines, CancellationToken.None).Soon();
        Assert.Equal(await Reference.Messages.GetHeadsAsync(timelines, CancellationToken.None).Soon(), heads);
        foreach (var head in heads.Where(head => head.Head > 0))
        {
            var run = new Run(head.Timeline.Id, new(1), (int)head.Head);
            CompareEntries(
                await Reference.Messages.ReadEntriesAsync([run], int.MaxValue, CancellationToken.None).Soon(), await ExpandAsync([run]));
        }

        var expected = await Reference.Groups.GetGroupsAsync(RandomItems.ConversationIds, int.MaxValue, CancellationToken.None).Soon();
        var actual = await Groups.GetGroupsAsync(RandomItems.ConversationIds, int.MaxValue, CancellationToken.None).Soon();
        Assert.Equal(expected.Select(group => group?.Members.ToArray()), actual.Select(group => group?.Members.ToArray()));
        Assert.Equal(
            expected.Select(group => (group?.Info, group?.Version, group?.Fanout, group?.FanoutPinned, group?.IsDissolved)),
            actual.Select(group => (group?.Info, group?.Version, group?.Fanout, group?.FanoutPinned, group?.IsDissolved)));
        foreach (var group in RandomItems.Groups)
        {
            var page = await Reference.Groups.ReadMembersAsync(group, null, int.MaxValue, CancellationToken.None).Soon();
            var same = await Groups.ReadMembersAsync(group, null, int.MaxValue, CancellationToken.None).Soon();
            Assert.Equal(page?.Version, same?.Version);
            Assert.Equal(page?.Members, same?.Members);
        }
    }

    private T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];
}
