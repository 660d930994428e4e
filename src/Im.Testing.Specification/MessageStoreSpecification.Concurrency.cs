using Im.Fanout;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using static Im.Testing.Specification.TestItems;

namespace Im.Testing.Specification;

public abstract partial class MessageStoreSpecification
{
    /// <summary>Traps 1, 11: several writers with old views of the heads: nothing lost, nothing doubled, no hole, no overlap.</summary>
    [Fact]
    public virtual async Task ConcurrentAppendsWithStaleHeadsLoseNothing()
    {
        const int Writers = 8;
        const int BatchesEach = 40;
        var everyone = To([.. Enumerable.Range(0, Writers).Select(i => "w" + i)]);
        await StoreAsync(Create(Group, FanoutNames.Write, [.. everyone.UserIds]));
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writers = Enumerable.Range(0, Writers).Select(async w =>
        {
            await start.Task;
            var known = new Dictionary<TimelineKey, long>();
            var claimed = new List<(string Id, long Seq)>();
            for (var b = 0; b < BatchesEach; b++)
            {
                var id = $"{w}.{b}";
                AppendItem[] items =
                [
                    Message(Group, "w" + w, everyone, version: 1, id: id + "a"),
                    Message(ConversationId.Direct("w0", "w" + w), "w" + w, To([.. new[] { "w0", "w" + w }.Distinct()]), id: id + "b"),
                    Message(Group, "w" + w, everyone, version: 1, id: id + "c"),
                ];
                while (true)
                {
                    // Each is a node of its own: one node appends in one lane.
                    var batch = Batch(items, timeline => known.GetValueOrDefault(timeline), "node" + w);
                    var result = await Messages.AppendAsync(batch, CancellationToken.None);
                    for (var t = 0; t < batch.Timelines.Count; t++)
                    {
                        known[batch.Timelines[t]] = result.Heads.Span[t];
                    }

                    if (result.Committed)
                    {
                        Assert.All(result.Items, item => Assert.Equal(AppendOutcome.Stored, item.Outcome));
                        claimed.Add((items[0].ClientMessageId, result.Items[0].Seq.Value));
                        claimed.Add((items[2].ClientMessageId, result.Items[2].Seq.Value));
                        break;
                    }

                    await Task.Yield();
                }
            }

            return claimed;
        }).ToArray();
        start.SetResult();
        var all = (await Task.WhenAll(writers).Soon()).SelectMany(claimed => claimed).ToList();

        // Group entry 1 is its creation.
        Assert.Equal(Enumerable.Range(2, Writers * BatchesEach * 2).Select(i => (long)i), all.Select(sent => sent.Seq).Order());
        var entries = await ExpandAsync([new Run(Group, new(1), 1 + all.Count)]);
        Assert.All(all, sent => Assert.Equal(sent.Id, entries[(int)sent.Seq - 1].ClientMessageId));
        foreach (var user in everyone.UserIds)
        {
            var inbox = await InboxAsync(user);
            var expected = 1 + all.Count + (user == "w0" ? Writers : 1) * BatchesEach;
            Assert.Equal(expected, (await HeadAsync(TimelineKey.Inbox(user))).Head);
            Assert.Equal(expected, Ids(inbox).Distinct().Count());
            var group = inbox.Where(entry => entry.ConversationId == Group).Select(entry => entry.Seq.Value).ToList();
            Assert.Equal(Enumerable.Range(1, 1 + all.Count).Select(i => (long)i), group);
        }
    }

    /// <summary>Trap 1: whoever sees a head can read all up to it, at any moment.</summary>
    [Fact]
    public virtual async Task ReadersNeverSeeAHole()
    {
        const int Entries = 1000;
        var writer = Task.Run(async () =>
        {
            for (var i = 0; i < Entries / 2; i++)
            {
                await AppendAsync(Message(Direct, "ann", Both), Message(Direct, "bob", Both));
                await Task.Yield();
            }
        });
        var readers = Enumerable.Range(3, 3).Select(limit => Task.Run(async () =>
        {
            using var deadline = new CancellationTokenSource(TimeLimit.Default);
            for (var cursor = 0L; cursor < Entries;)
            {
                deadline.Token.ThrowIfCancellationRequested();
                await Task.Yield();
                var page = await ReadAsync("bob", cursor, limit);
                var entries = page.Runs.Count == 0 ? [] : await ExpandAsync(page.Runs);
                Assert.Equal(Enumerable.Range((int)cursor + 1, entries.Count).Select(i => (long)i), entries.Select(e => e.Seq.Value));
                Assert.Equal(Math.Min(limit, page.Head.Head - cursor), entries.Count);
                cursor += entries.Count;
            }
        }));
        await Task.WhenAll([writer, .. readers]).Soon();
    }
}
