using Im.Storage;
using Im.Timelines;
using Xunit.Abstractions;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

/// <summary>Random operations on the adapter's stores and on the in-memory ones: all answers must be equal.</summary>
/// <remarks>
/// The adapter's stores are closed and opened again from time to time, and cleaned up where they have retention. Only in two things an adapter is
/// free: how the entries of one commit that belong to different conversations stand in an inbox, and how much more of an inbox it keeps than asked.
/// </remarks>
public abstract partial class StorageModelSpecification(IStorageFixture fixture, ITestOutputHelper output) : StorageSpecification(fixture)
{
    /// <summary>Every user's inbox in the adapter's order, and where its commits end.</summary>
    private readonly Dictionary<string, List<(string Id, long Seq)>> _inboxes = [];
    private readonly Dictionary<string, List<int>> _ends = [];
    private readonly HashSet<SentKey> _sent = [];
    private Random _random = new();
    private InMemoryReference _reference = null!;

    /// <summary>How many batches are appended.</summary>
    protected virtual int Batches => 400;

    private StoreSet Reference => _reference.Stores;

    /// <summary>Every promise at once, in the combinations that nobody thought of.</summary>
    [Fact]
    public virtual async Task AStoreAnswersLikeTheInMemoryOne()
    {
        var seed = TestSeed.Next(output);
        _random = new Random(seed);
        var outcomes = new int[Enum.GetValues<AppendOutcome>().Length];
        await using var reference = _reference = new InMemoryReference();
        var items = new RandomItems(_random, reference);
        var step = 0;
        try
        {
            for (step = 1; step <= Batches; step++)
            {
                await reference.RefreshAsync();
                await AppendAsync(items.NextBatch(), outcomes);
                await DoSomethingAsync();
                if (step % 50 == 0 || step == Batches)
                {
                    await ReopenAsync();
                    await CompareAllAsync();
                }
            }
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"Failed at batch {step} with IM_SEED={seed}: {exception.Message}", exception);
        }

        // The test shows nothing about what it did not meet.
        output.WriteLine(string.Join(", ", Enum.GetValues<AppendOutcome>().Select(outcome => $"{outcome} {outcomes[(int)outcome]}")));
        Assert.All(outcomes, count => Assert.True(count > 0));
    }

    private async Task AppendAsync(AppendItem[] items, int[] outcomes)
    {
        var batch = await ProposeAsync(items);
        var expected = await Reference.Messages.AppendAsync(batch, CancellationToken.None).Soon();
        var actual = await Messages.AppendAsync(batch, CancellationToken.None).Soon();
        Assert.Equal(expected.Committed, actual.Committed);
        Assert.Equal(expected.Heads.ToArray(), actual.Heads.ToArray());
        Assert.Equal(expected.Items.Count, actual.Items.Count);
        for (var i = 0; i < expected.Items.Count; i++)
        {
            outcomes[(int)actual.Items[i].Outcome]++;
            CompareResult(expected.Items[i], actual.Items[i]);
            _sent.Add(new SentKey(items[i].SenderId, items[i].ClientMessageId));
        }

        Assert.Equal(Expand(expected.Runs).Order(), Expand(actual.Runs).Order());
        CompareClasses(expected, actual);
    }

    /// <summary>A batch that expects the true heads, whatever heads there are, or, sometimes, a wrong one.</summary>
    private async Task<AppendBatch> ProposeAsync(AppendItem[] items)
    {
        var batch = Batch(items, null);
        var heads = (await Reference.Messages.GetHeadsAsync(batch.Timelines, CancellationToken.None).Soon()).Select(head => head.Head).ToArray();
        var known = _random.Next(3) > 0;
        var wrong = _random.Next(8) == 0 ? _random.Next(heads.Length) : -1;
        for (var i = 0; i < heads.Length; i++)
        {
            if (i == wrong)
            {
                heads[i] += _random.Next(2) == 0 ? 1 : -1;
            }
            else if (!known && _random.Next(2) == 0)
            {
                heads[i] = ISequenceAllocator.Unknown;
            }
        }

        return new AppendBatch
        {
            NodeName = batch.NodeName,
            BatchNumber = batch.BatchNumber,
            Items = items,
            Timelines = batch.Timelines,
            ProposedHeads = heads,
        };
    }

    private static void CompareResult(AppendItemResult expected, AppendItemResult actual)
    {
        // A duplicate's version is today's and its ordinal may no longer be known; a refused item has no ordinal.
        expected = expected.Outcome == AppendOutcome.Stored ? expected : expected with { Ordinal = actual.Ordinal };
        expected = expected.Outcome == AppendOutcome.Duplicate ? expected with { Version = actual.Version } : expected;
        Assert.Equal(expected, actual);
    }

    /// <summary>Every inbox got the same entries, at the same seqs; their order within the commit is the adapter's.</summary>
    private void CompareClasses(AppendResult expected, AppendResult actual)
    {
        var asked = ByUser(expected);
        var got = ByUser(actual);
        Assert.Equal(asked.Keys.Order(), got.Keys.Order());
        foreach (var (user, (first, entries)) in got)
        {
            Assert.Equal(asked[user].First, first);
            Assert.Equal(asked[user].Entries.Order(), entries.Order());
            var inbox = Inbox(user);
            Assert.Equal(inbox.Count + 1, first);
            foreach (var conversation in entries.GroupBy(entry => entry.Id))
            {
                Assert.Equal(conversation.Select(entry => entry.Seq).Order(), conversation.Select(entry => entry.Seq));
            }

            inbox.AddRange(entries);
            _ends[user].Add(inbox.Count);
        }
    }

    private static Dictionary<string, (long First, List<(string Id, long Seq)> Entries)> ByUser(AppendResult result)
    {
        var users = new Dictionary<string, (long, List<(string, long)>)>();
        foreach (var c in result.Classes)
        {
            var entries = Expand(c.Runs);
            for (var u = 0; u < c.UserIds.Count; u++)
            {
                // Adding throws where an inbox stands in two classes.
                users.Add(c.UserIds[u], (c.FirstSeqs.Span[u], entries));
            }
        }

        return users;
    }

    private List<(string Id, long Seq)> Inbox(string user)
    {
        if (_inboxes.TryAdd(user, []))
        {
            _ends.Add(user, [0]);
        }

        return _inboxes[user];
    }

    private static List<(string Id, long Seq)> Expand(IEnumerable<Run> runs) =>
        [.. runs.SelectMany(run => Enumerable.Range(0, run.Count).Select(i => (run.ConversationId, run.First.Value + i)))];
}
