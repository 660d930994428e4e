using Im.Testing.Specification;
using Im.Timelines;
using Xunit.Abstractions;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage;

/// <summary>
/// Random operations on the in-memory stores and on a naive model of them: all answers must be equal. Every other store is compared with the
/// in-memory ones.
/// </summary>
public sealed class InMemoryStorageModelTests(InMemoryStorageFixture fixture, ITestOutputHelper output)
    : StorageSpecification(fixture), IClassFixture<InMemoryStorageFixture>
{
    private const int Batches = 600;

    private readonly NaiveModel _model = new();
    private Random _random = new();

    // Every promise at once, in the combinations that nobody thought of.
    [Fact]
    public async Task AStoreAnswersLikeItsModel()
    {
        var seed = TestSeed.Next(output);
        _random = new Random(seed);
        var items = new RandomItems(_random, _model);
        var outcomes = new int[Enum.GetValues<AppendOutcome>().Length];
        try
        {
            for (var step = 1; step <= Batches; step++)
            {
                await AppendAsync(items.NextBatch(), outcomes);
                await ReadSomethingAsync();
                if (step % 100 == 0 || step == Batches)
                {
                    await CompareAllAsync();
                }
            }
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"Failed with IM_SEED={seed}: {exception.Message}", exception);
        }

        // The test shows nothing about what it did not meet.
        output.WriteLine(string.Join(", ", Enum.GetValues<AppendOutcome>().Select(outcome => $"{outcome} {outcomes[(int)outcome]}")));
        Assert.All(outcomes, count => Assert.True(count > 0));
    }

    private async Task AppendAsync(AppendItem[] items, int[] outcomes)
    {
        var wrong = _random.Next(8) == 0 ? _random.Next(int.MaxValue) : -1;
        var asked = 0;
        var known = _random.Next(3) > 0;
        var batch = Batch(items, timeline => known || _random.Next(2) == 0 ? _model.Head(timeline) : ISequenceAllocator.Unknown);
        if (wrong >= 0)
        {
            var heads = batch.ProposedHeads.ToArray();
            var at = wrong % heads.Length;
            heads[at] = _model.Head(batch.Timelines[at]) + (_random.Next(2) == 0 ? 1 : -1);
            asked = heads[at] == ISequenceAllocator.Unknown ? 0 : 1;
            batch = new AppendBatch
            {
                NodeName = batch.NodeName,
                BatchNumber = batch.BatchNumber,
                Items = items,
                Timelines = batch.Timelines,
                ProposedHeads = heads,
            };
        }

        var result = await Messages.AppendAsync(batch, CancellationToken.None).Soon();
        Assert.Equal(asked == 0, result.Committed);
        if (result.Committed)
        {
            var conversations = _model.Conversations.ToDictionary(pair => pair.Key, pair => pair.Value.Rows.Count);
            var inboxes = _model.Inboxes.ToDictionary(pair => pair.Key, pair => pair.Value.Count);
            for (var i = 0; i < items.Length; i++)
            {
                outcomes[(int)result.Items[i].Outcome]++;
                CompareResult(_model.Append(items[i]), result.Items[i]);
            }

            CompareRuns(result, conversations);
            CompareClasses(result, inboxes);
        }

        Assert.Equal(batch.Timelines.Select(_model.Head), result.Heads.ToArray());
    }

    private static void CompareResult(AppendItemResult expected, AppendItemResult actual)
    {
        // A duplicate's version is today's and its ordinal may no longer be known; a refused item has no ordinal.
        expected = expected.Outcome == AppendOutcome.Stored ? expected : expected with { Ordinal = actual.Ordinal };
        expected = expected.Outcome == AppendOutcome.Duplicate ? expected with { Version = actual.Version } : expected;
        Assert.Equal(expected, actual);
    }

    private void CompareRuns(AppendResult result, Dictionary<string, int> before)
    {
        var appended = _model.Conversations.Values.Where(c => c.Rows.Count > before.GetValueOrDefault(c.Id)).ToDictionary(
            c => c.Id, c => Enumerable.Range(before.GetValueOrDefault(c.Id) + 1, c.Rows.Count - before.GetValueOrDefault(c.Id)));
        var runs = Expand(result.Runs).GroupBy(entry => entry.Id).ToDictionary(g => g.Key, g => g.Select(entry => (int)entry.Seq));
        Assert.Equal(appended.Keys.Order(), runs.Keys.Order());
        Assert.All(appended, pair => Assert.Equal(pair.Value, runs[pair.Key]));
    }

    /// <summary>Across conversations the order in an inbox is the store's choice; the model takes it over after checking the rest.</summary>
    private void CompareClasses(AppendResult result, Dictionary<string, int> before)
    {
        var got = new HashSet<string>();
        foreach (var c in result.Classes)
        {
            var entries = Expand(c.Runs);
            for (var u = 0; u < c.UserIds.Count; u++)
            {
                Assert.True(got.Add(c.UserIds[u]));
                var inbox = _model.Inboxes[c.UserIds[u]];
                var from = before.GetValueOrDefault(c.UserIds[u]);
                Assert.Equal(from + 1, c.FirstSeqs.Span[u]);
                var expected = inbox[from..].OrderBy(entry => entry.Id, StringComparer.Ordinal);
                Assert.Equal(expected, entries.OrderBy(entry => entry.Id, StringComparer.Ordinal));
                inbox.RemoveRange(from, inbox.Count - from);
                inbox.AddRange(entries);
            }
        }

        var grown = _model.Inboxes.Where(pair => pair.Value.Count > before.GetValueOrDefault(pair.Key)).Select(pair => pair.Key);
        Assert.Equal(grown.Order(), got.Order());
    }

    private async Task ReadSomethingAsync()
    {
        var user = RandomItems.Users[_random.Next(RandomItems.Users.Length)];
        var conversation = RandomItems.ConversationIds[_random.Next(RandomItems.ConversationIds.Length)];
        switch (_random.Next(7))
        {
            case 0:
                await ComparePageAsync(user);
                break;
            case 1:
                await CompareEntriesAsync(conversation);
                break;
            case 2:
                await CompareListAsync(user, _random.Next(1, 10));
                break;
            case 3:
                await CompareReadTimelinesAsync(user);
                break;
            case 4:
                await DropBodyAsync(conversation);
                break;
            case 5:
                await AckAsync(user, conversation);
                break;
            default:
                await CompareSentAsync();
                break;
        }
    }

    private async Task ComparePageAsync(string user)
    {
        var inbox = _model.Inboxes.GetValueOrDefault(user) ?? [];
        var (after, limit) = (_random.Next(inbox.Count + 2), _random.Next(1, 60));
        var page = await ReadAsync(user, after, limit);
        Assert.Equal((after + 1L, (long)inbox.Count), (page.First.Value, page.Head.Head));
        Assert.Equal(inbox.Skip(after).Take(limit), Expand(page.Runs));
    }

    private async Task CompareEntriesAsync(string id)
    {
        if (!_model.Conversations.TryGetValue(id, out var conversation))
        {
            return;
        }

        var first = _random.Next(1, conversation.Rows.Count + 1);
        var count = _random.Next(1, conversation.Rows.Count - first + 2);
        var maxBytes = _random.Next(0, 500);
        var entries = await ExpandAsync([new Run(id, new(first), count)], maxBytes);
        var bytes = 0;
        for (var i = 0; i < count; i++)
        {
            var seq = first + i;
            var (row, isGone) = (conversation.Rows[seq - 1], conversation.Gone.Contains(seq));
            bytes += isGone ? 0 : row.Body.Length;
            if (i > 0 && bytes > maxBytes)
            {
                Assert.Equal(i, entries.Count);
                return;
            }

            var entry = entries[i];
            Assert.Equal(
                (id, (long)seq, conversation.Ordinal(seq), row.SenderId, row.SenderDeviceId, row.ClientMessageId, isGone),
                (entry.ConversationId, entry.Seq.Value, entry.Ordinal, entry.SenderId, entry.SenderDeviceId,
                    entry.ClientMessageId, entry.IsGone));
            Assert.Equal((row.TimeMs, row.Kind), (entry.TimeMs, entry.Kind));
            Assert.True(entry.Body.Span.SequenceEqual(isGone ? [] : row.Body.Span));
        }

        Assert.Equal(count, entries.Count);
    }

    private async Task CompareListAsync(string user, int limit)
    {
        var expected = _model.Conversations.Values.Where(c => !c.Id.StartsWith("o:", StringComparison.Ordinal) && c.Members.Contains(user))
            .OrderBy(c => c.Id, StringComparer.Ordinal).ToList();
        var after = _random.Next(3) == 0 ? null : RandomItems.ConversationIds[_random.Next(RandomItems.ConversationIds.Length)];
        var page = await Conversations.ListAsync(user, after, limit, CancellationToken.None).Soon();
        CompareConversations(user, [.. expected.Where(c => string.CompareOrdinal(c.Id, after) > 0).Take(limit)], page);

        var snapshot = await Conversations.GetSnapshotAsync(user, CancellationToken.None).Soon();
        Assert.Equal(_model.Head(TimelineKey.Inbox(user)), snapshot.Seq.Value);
        CompareConversations(user, expected, snapshot.Conversations);
        var ids = RandomItems.ConversationIds;
        var seen = await Conversations.GetAsync(user, ids, CancellationToken.None).Soon();
        Assert.Equal(ids.Select(id => expected.Any(c => c.Id == id) ? id : null), seen.Select(c => c?.ConversationId));
    }

    private static void CompareConversations(string user, List<NaiveConversation> expected, IReadOnlyList<UserConversation> actual)
    {
        Assert.Equal(expected.Select(c => c.Id), actual.Select(c => c.ConversationId));
        for (var i = 0; i < actual.Count; i++)
        {
            var (e, a) = (expected[i], actual[i]);
            Assert.Equal(new TimelineHead(TimelineKey.Conversation(e.Id), e.Rows.Count, 1, e.Ordinal(e.Rows.Count)), a.Head);
            Assert.Equal((e.Fanout, e.Info, e.Members.Count, e.Version), (a.Fanout, a.Group, a.MemberCount, a.Version));
            Assert.Equal(
                (e.Id, e.Stays(user)[^1].First, e.Marks.GetValueOrDefault(user), e.Unread(user), (long)e.Rows.Count),
                (a.ConversationId, a.Joined.Value, a.ReadSeq.Value, a.Unread, a.LastEntry!.Seq.Value));
        }
    }

    private async Task CompareReadTimelinesAsync(string user)
    {
        var known = RandomItems.ConversationIds.Where(_ => _random.Next(2) == 0).ToList();
        var after = _random.Next(50);
        var expected = new List<ReadTimeline>();
        foreach (var c in _model.Conversations.Values)
        {
            int InboxSeqOf(long seq) => (_model.Inboxes.GetValueOrDefault(user)?.IndexOf((c.Id, seq)) ?? -1) + 1;
            foreach (var part in c.Parts(user).Where(part => part.Last is null || known.Contains(c.Id) || InboxSeqOf(part.After) > after))
            {
                expected.Add(new ReadTimeline(
                    c.Id,
                    new(part.After),
                    part.Last is null ? null : new ConversationSeq(part.Last.Value),
                    new TimelineHead(TimelineKey.Conversation(c.Id), c.Rows.Count, 1, c.Ordinal(c.Rows.Count))));
            }
        }

        var actual = await Conversations.GetReadTimelinesAsync(user, known, new(after), CancellationToken.None).Soon();
        Assert.Equal(
            expected.OrderBy(part => part.ConversationId).ThenBy(part => part.After), actual.OrderBy(part => part.ConversationId));
        foreach (var c in _model.Conversations.Values)
        {
            var stays = await Conversations.GetMembershipsAsync(user, c.Id, CancellationToken.None).Soon();
            Assert.Equal(c.Stays(user), stays.Select(stay => (stay.First.Value, stay.Last?.Value)));
        }
    }

    private async Task DropBodyAsync(string id)
    {
        if (_model.Conversations.TryGetValue(id, out var conversation))
        {
            var seq = _random.Next(1, conversation.Rows.Count + 1);
            conversation.Gone.Add(seq);
            await Fixture.DropBodyAsync(id, new(seq)).Soon();
        }
    }

    private async Task AckAsync(string user, string conversation)
    {
        var timeline = _random.Next(2) == 0 ? TimelineKey.Inbox(user) : TimelineKey.Conversation(conversation);
        var (device, seq) = ("device" + _random.Next(2), _random.Next(-1, 100));
        await Devices.AckAsync([new(user, device, timeline, seq)], CancellationToken.None).Soon();
        var kept = _model.Acks.GetValueOrDefault((user, device, timeline));
        _model.Acks[(user, device, timeline)] = kept = Math.Max(kept, Math.Min(seq, _model.Head(timeline)));
        Assert.Equal(kept, await Devices.GetAckAsync(user, device, timeline, CancellationToken.None).Soon());
    }

    private async Task CompareSentAsync()
    {
        var keys = _model.Sent.Keys.OrderBy(_ => _random.Next()).Take(5).Append(new SentKey("u0", "never")).ToList();
        var found = await Messages.FindSentAsync(keys, CancellationToken.None).Soon();
        Assert.Equal(
            keys.Select(key => _model.Sent.TryGetValue(key, out var sent)
                ? new SentMessage(sent.Result.ConversationId, sent.Result.Seq, sent.Result.TimeMs, sent.Item.Hash)
                : null),
            found);
    }

    private async Task CompareAllAsync()
    {
        foreach (var user in RandomItems.Users)
        {
            await CompareListAsync(user, 100);
            await CompareReadTimelinesAsync(user);
            Assert.Equal(_model.Inboxes.GetValueOrDefault(user) ?? [], Expand((await ReadAsync(user)).Runs));
        }

        var groups = await Groups.GetGroupsAsync(RandomItems.ConversationIds, int.MaxValue, CancellationToken.None).Soon();
        for (var i = 0; i < groups.Count; i++)
        {
            var expected = _model.Conversations.GetValueOrDefault(RandomItems.ConversationIds[i]);
            Assert.Equal(expected is { IsGroup: true }, groups[i] is not null);
            if (groups[i] is { } group)
            {
                Assert.Equal(
                    (expected!.Info!, expected.Version, expected.Fanout, expected.Pinned, expected.IsDissolved),
                    (group.Info, group.Version, group.Fanout, group.FanoutPinned, group.IsDissolved));
                Assert.Equal(expected.Members.ToArray(), group.Members.ToArray());
            }
        }

        foreach (var (key, ack) in _model.Acks)
        {
            Assert.Equal(ack, await Devices.GetAckAsync(key.User, key.Device, key.Timeline, CancellationToken.None).Soon());
        }
    }

    private static List<(string Id, long Seq)> Expand(IEnumerable<Run> runs) =>
        [.. runs.SelectMany(run => Enumerable.Range(0, run.Count).Select(i => (run.ConversationId, run.First.Value + i)))];
}
