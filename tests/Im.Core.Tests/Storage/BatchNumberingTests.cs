using Im.Testing.Specification;
using Im.Timelines;
using Xunit.Abstractions;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage;

public sealed class BatchNumberingTests(ITestOutputHelper output)
{
    private static readonly Audience Abc = To("a", "b", "c");
    private static readonly Audience Bcd = To("b", "c", "d");

    // The common case: one group is talking, one class gets one run.
    [Fact]
    public void OneAudienceIsOneClassWithOneRun()
    {
        var numbered = Number(
            Batch(Message("g:1", "a", Abc), Message("g:1", "b", Abc), Message("g:1", "c", Abc)),
            head: timeline => timeline.Id == "b" ? 7 : 4);

        var only = Assert.Single(numbered.Classes);
        Assert.Equal([new Run("g:1", new(5), 3)], only.Runs);
        Assert.Equal(only.Runs, numbered.Runs);
        Assert.Equal(["a", "b", "c"], only.UserIds);
        Assert.Equal([5L, 8L, 5L], only.FirstSeqs.ToArray());
        Assert.Equal([7L, 7L, 10L, 7L], numbered.Heads.ToArray());
        Assert.Equal([1, 2, 3], numbered.TimelinesOf(0).ToArray());
    }

    // Users are divided by the set of audiences that they stand in, and by nothing else.
    [Fact]
    public void UsersInTheSameAudiencesFormAClass()
    {
        var numbered = Number(Batch(
            Message("g:1", "a", Abc), Message("g:2", "d", Bcd), Message("g:1", "a", Abc), Message("g:2", "d", Bcd)));

        Assert.Equal(
            ["a: g:1[1+2]", "b,c: g:1[1+2] g:2[1+2]", "d: g:2[1+2]"], Show(numbered));
    }

    // A change in the middle: who was and who stays get one run, not three.
    [Fact]
    public void RunsThatContinueEachOtherAreMergedPerClass()
    {
        var concerned = To("a", "b", "c", "d");
        var numbered = Number(Batch(
            Message("g:1", "a", Abc), Message("g:1", "a", concerned), Message("g:1", "a", Bcd), Message("g:1", "a", Abc)));

        Assert.Equal(["a: g:1[1+2] g:1[4+1]", "b,c: g:1[1+4]", "d: g:1[2+2]"], Show(numbered));
    }

    // Conversations that alternate in the batch are not torn apart in an inbox.
    [Fact]
    public void ConversationsThatAlternateMakeOneRunEach()
    {
        var items = Enumerable.Range(0, 10).Select(i => Message(i % 2 == 0 ? "g:1" : "g:2", "a", i % 2 == 0 ? Abc : To("a", "b", "c")));
        var numbered = Number(Batch([.. items]));

        Assert.Equal(["a,b,c: g:1[1+5] g:2[1+5]"], Show(numbered));
    }

    // Audiences of refused items leave no trace.
    [Fact]
    public void ItemsLeftOutTakeNoNumber()
    {
        var batch = Batch(
            Message("g:1", "a", Abc), Message("g:1", "d", Bcd), Message("g:2", "d", Bcd), Message("g:1", "a", Abc, counts: false));
        var numbering = new BatchNumbering(batch, new long[batch.Timelines.Count], new long[batch.Timelines.Count]);

        Assert.Equal(new NumberedItem(new(1), 1), numbering.Append(0));
        Assert.Equal(new NumberedItem(new(2), 1), numbering.Append(3));
        var numbered = numbering.Complete();

        Assert.Equal(["a,b,c: g:1[1+2]"], Show(numbered));
        Assert.Equal([2L, 0L, 2L, 2L, 2L, 0L], numbered.Heads.ToArray());
        Assert.Equal([1L, 0L, 0L, 0L, 0L, 0L], numbered.Ordinals.ToArray());
    }

    // Nobody: the conversation gets the entry, no inbox does.
    [Fact]
    public void AnEmptyAudienceMakesNoClass()
    {
        var numbered = Number(Batch(Message("g:1", "a", Audience.None)));

        Assert.Empty(numbered.Classes);
        Assert.Single(numbered.Runs);
    }

    // A committer that forgot a timeline is told before anything is numbered.
    [Fact]
    public void AMissingOrDoubledTimelineThrows()
    {
        var batch = Batch(Message("g:1", "a", Abc));
        Assert.Throws<ArgumentException>(() => With(batch, [.. batch.Timelines.Take(3)]));
        Assert.Throws<ArgumentException>(() => With(batch, [.. batch.Timelines, TimelineKey.Inbox("a")]));
        Assert.Throws<ArgumentException>(() => With(batch, [TimelineKey.Conversation("g:1"), .. batch.Timelines]));
        Assert.Throws<ArgumentException>(() => With(batch, [TimelineKey.Conversation("g:2"), .. batch.Timelines.Skip(1)]));

        static BatchNumbering With(AppendBatch batch, TimelineKey[] timelines) => new(
            new AppendBatch
            {
                NodeName = "n",
                BatchNumber = 1,
                Items = batch.Items,
                Timelines = timelines,
                ProposedHeads = new long[timelines.Length],
            },
            new long[timelines.Length],
            new long[timelines.Length]);
    }

    // Whatever the audiences are: the classes say exactly what counting entry by entry and member by member says.
    [Fact]
    public void ClassesEqualWhatEveryMemberWouldCount()
    {
        var seed = TestSeed.Next(output);
        var random = new Random(seed);
        for (var round = 0; round < 300; round++)
        {
            var audiences = Enumerable.Range(0, random.Next(1, 7))
                .Select(_ => To([.. Enumerable.Range(0, 9).Where(_ => random.Next(2) == 0).Select(i => "u" + i)])).ToArray();
            var items = Enumerable.Range(0, random.Next(1, 25))
                .Select(_ => Message("g:" + random.Next(4), "x", audiences[random.Next(audiences.Length)])).ToArray();
            var batch = Batch(items);
            var heads = batch.Timelines.Select(_ => (long)random.Next(100)).ToArray();
            var numbering = new BatchNumbering(batch, heads, new long[heads.Length]);
            var naive = batch.Timelines.ToDictionary(timeline => timeline, _ => new List<(string, long)>());
            var stored = new HashSet<Audience>();
            for (var i = 0; i < items.Length; i++)
            {
                if (random.Next(5) == 0)
                {
                    continue;
                }

                stored.Add(items[i].Audience);
                var seq = numbering.Append(i).Seq.Value;
                var own = naive[TimelineKey.Conversation(items[i].ConversationId)];
                own.Add((items[i].ConversationId, seq));
                Assert.Equal(heads[IndexOf(batch, own[0].Item1)] + own.Count, seq);
                foreach (var user in items[i].Audience.UserIds)
                {
                    naive[TimelineKey.Inbox(user)].Add((items[i].ConversationId, seq));
                }
            }

            Compare(batch, heads, numbering.Complete(), naive, stored);
        }
    }

    private static void Compare(
        AppendBatch batch,
        long[] heads,
        NumberedBatch numbered,
        Dictionary<TimelineKey, List<(string Id, long Seq)>> naive,
        IReadOnlyCollection<Audience> stored)
    {
        var got = new HashSet<string>();
        for (var c = 0; c < numbered.Classes.Count; c++)
        {
            var entries = Expand(numbered.Classes[c].Runs);
            for (var u = 0; u < numbered.Classes[c].UserIds.Count; u++)
            {
                var user = numbered.Classes[c].UserIds[u];
                var timeline = numbered.TimelinesOf(c)[u];
                Assert.True(got.Add(user));
                Assert.Equal(TimelineKey.Inbox(user), batch.Timelines[timeline]);
                Assert.Equal(heads[timeline] + 1, numbered.Classes[c].FirstSeqs.Span[u]);
                var expected = naive[TimelineKey.Inbox(user)];
                foreach (var conversation in expected.GroupBy(entry => entry.Id))
                {
                    Assert.Equal(conversation, entries.Where(entry => entry.Id == conversation.Key));
                }

                Assert.Equal(expected.Count, entries.Count);
            }

            // As few runs as possible: one would have to be torn to make fewer.
            var runs = numbered.Classes[c].Runs;
            Assert.DoesNotContain(
                runs, run => runs.Any(next => next.ConversationId == run.ConversationId && next.First == run.First + run.Count));
        }

        // One class for each set of audiences, and nobody left out.
        var sets = got.Select(user => string.Join(',', stored.Select((audience, i) => audience.UserIds.Contains(user) ? i : -1)));
        Assert.Equal(sets.Distinct().Count(), numbered.Classes.Count);
        for (var t = 0; t < heads.Length; t++)
        {
            Assert.Equal(heads[t] + naive[batch.Timelines[t]].Count, numbered.Heads.Span[t]);
            Assert.Equal(
                batch.Timelines[t].Kind == TimelineKind.Inbox && naive[batch.Timelines[t]].Count > 0,
                got.Contains(batch.Timelines[t].Id));
        }
    }

    private static int IndexOf(AppendBatch batch, string conversationId) =>
        batch.Timelines.ToList().IndexOf(TimelineKey.Conversation(conversationId));

    private static List<(string Id, long Seq)> Expand(IEnumerable<Run> runs) =>
        [.. runs.SelectMany(run => Enumerable.Range(0, run.Count).Select(i => (run.ConversationId, run.First.Value + i)))];

    private static NumberedBatch Number(AppendBatch batch, Func<TimelineKey, long>? head = null)
    {
        var numbering = new BatchNumbering(
            batch, batch.Timelines.Select(head ?? (_ => 0)).ToArray(), new long[batch.Timelines.Count]);
        for (var i = 0; i < batch.Items.Count; i++)
        {
            numbering.Append(i);
        }

        return numbering.Complete();
    }

    private static string[] Show(NumberedBatch numbered) => [.. numbered.Classes
        .Select(c => string.Join(',', c.UserIds) + ": "
            + string.Join(' ', c.Runs.Select(run => $"{run.ConversationId}[{run.First}+{run.Count}]")))
        .Order()];
}
