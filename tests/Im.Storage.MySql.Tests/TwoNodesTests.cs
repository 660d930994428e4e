using System.Globalization;
using Im.Fanout;
using Im.Model;
using Im.Storage.MySql.Tests.Support;
using Im.Testing.Specification;
using Im.Timelines;
using Xunit.Abstractions;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage.MySql.Tests;

/// <summary>Nodes that append at once: all succeed, in some order, and no deadlock reaches a caller.</summary>
[Collection(MySqlCollection.Name)]
public sealed class TwoNodesTests(MySqlServer server, ITestOutputHelper output)
{
    private static readonly string[] Users = ["ann", "bob", "cid", "dan", "eve", "fay"];

    [Theory]
    [InlineData(2, 150)]
    [InlineData(4, 40)]
    public async Task NodesThatAppendToTheSameTimelinesAtOnceAllSucceed(int nodes, int rounds)
    {
        var seed = TestSeed.Next(output);
        await using var database = new TestDatabase(server.Server);
        var stores = new List<MySqlStores>();
        for (var n = 0; n < nodes; n++)
        {
            stores.Add(await database.OpenAsync());
        }

        await stores[0].Messages.AppendAsync(Batch(Create("g:all", FanoutNames.Write, Users)), CancellationToken.None).Soon();
        var conversations = Users.SelectMany(a => Users.Where(b => string.CompareOrdinal(a, b) < 0).Select(b => ConversationId.Direct(a, b)))
            .Append("g:all").ToList();
        var everyone = To(Users);
        var answers = new Dictionary<(string, string), AppendItemResult>();
        var stored = 0;
        await Task.WhenAll(stores.Select((store, n) => Task.Run(async () =>
        {
            // Every node draws the same items in the same order, in part, so that the same ids meet in flight, sometimes in two conversations.
            var shared = new Random(seed);
            var own = new Random(seed + 1 + n);
            for (var round = 0; round < rounds; round++)
            {
                var items = new List<AppendItem>();
                for (var i = shared.Next(1, 12); i > 0; i--)
                {
                    var isShared = shared.Next(4) == 0;
                    var random = isShared ? shared : own;
                    var conversation = conversations[random.Next(conversations.Count)];
                    var id = isShared
                        ? string.Create(CultureInfo.InvariantCulture, $"shared {round}.{i}")
                        : string.Create(CultureInfo.InvariantCulture, $"node {n} {round}.{i}");
                    if (isShared && own.Next(4) == 0)
                    {
                        // The same id under another conversation: one of the two is refused.
                        conversation = conversations[own.Next(conversations.Count)];
                    }

                    items.Add(MessageTo(conversation, everyone, id));
                }

                own.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(items));
                var result = await store.Messages.AppendAsync(Batch(items, null, "node" + n), CancellationToken.None);
                Assert.True(result.Committed);
                for (var i = 0; i < items.Count; i++)
                {
                    Check(items[i], result.Items[i]);
                }
            }
        }))).WaitAsync(TimeSpan.FromSeconds(60));

        await database.CheckAsync(stores[0], conversations, Users);
        Assert.Equal(stored + 1, database.Count("SELECT COUNT(*) FROM im_entries"));

        void Check(AppendItem item, AppendItemResult result)
        {
            lock (answers)
            {
                if (result.Outcome == AppendOutcome.Stored)
                {
                    stored++;
                }

                if (result.Outcome is AppendOutcome.Stored or AppendOutcome.Duplicate)
                {
                    Assert.Equal(item.ConversationId, result.ConversationId);
                    if (!answers.TryAdd((item.SenderId, item.ClientMessageId), result))
                    {
                        Assert.Equal(answers[(item.SenderId, item.ClientMessageId)].Seq, result.Seq);
                    }
                }
                else
                {
                    Assert.Equal(AppendOutcome.ClientIdReused, result.Outcome);
                    Assert.StartsWith("shared", item.ClientMessageId, StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public async Task TheSameIdsClaimedCrosswiseInTwoConversationsAreStoredOnce()
    {
        await using var database = new TestDatabase(server.Server);
        var nodes = new[] { await database.OpenAsync(), await database.OpenAsync() };
        var (one, two) = (ConversationId.Direct("ann", "bob"), ConversationId.Direct("ann", "cid"));
        for (var round = 0; round < 60; round++)
        {
            // No head row in common, and the ids in opposite orders: what meets is the unique key alone.
            var ids = Enumerable.Range(0, 10).Select(i => $"{round}.{i}").ToArray();
            AppendItem[][] items =
            [
                [.. ids.Select(id => Message(one, "ann", To("bob"), id: id))],
                [.. ids.Reverse().Select(id => Message(two, "ann", To("cid"), id: id))],
            ];
            var results = await Task.WhenAll(nodes.Select((node, n) => Task.Run(async () =>
                await node.Messages.AppendAsync(Batch(items[n], null, "node" + n), CancellationToken.None)))).Soon();
            var outcomes = results.SelectMany(result => result.Items).Select(item => item.Outcome).ToList();
            Assert.Equal(10, outcomes.Count(outcome => outcome == AppendOutcome.Stored));
            Assert.Equal(10, outcomes.Count(outcome => outcome == AppendOutcome.ClientIdReused));
        }

        await database.CheckAsync(nodes[0], [one, two], ["bob", "cid"]);
    }

    [Fact]
    public async Task NodesThatCreateTheSameTimelinesAtOnceBothSucceed()
    {
        await using var database = new TestDatabase(server.Server);
        var nodes = new[] { await database.OpenAsync(), await database.OpenAsync() };
        var conversations = new List<string>();
        for (var round = 0; round < 40; round++)
        {
            var users = Enumerable.Range(0, 20).Select(i => $"u{round}.{i}").ToArray();
            var conversation = ConversationId.Direct(users[0], users[1]);
            conversations.Add(conversation);
            var results = await Task.WhenAll(nodes.Select((node, n) => Task.Run(async () => await node.Messages.AppendAsync(
                Batch([Message(conversation, users[n], To(users), id: "first")], null, "node" + n), CancellationToken.None)))).Soon();
            Assert.Equal([1L, 2L], results.Select(result => result.Items[0].Seq.Value).Order());
        }

        await database.CheckAsync(nodes[0], conversations, ["u0.0", "u39.19"]);
    }

    private static AppendItem MessageTo(string conversation, Audience everyone, string id)
    {
        if (ConversationId.IsGroup(conversation))
        {
            return Message(conversation, "ann", everyone, version: 1, id: id);
        }

        var members = Users.Where(user => conversation.Contains(user, StringComparison.Ordinal)).ToArray();

        // One sender for all, so that ids meet across conversations.
        return Message(conversation, "ann", To(members), id: id);
    }
}
