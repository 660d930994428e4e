using System.Text;
using Im.Storage;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="ISendQueue"/>. Skipped, visibly, where the adapter has none.</summary>
public abstract class SendQueueSpecification(IStorageFixture fixture) : StorageSpecification(fixture)
{
    private const int Plenty = 1_000_000;

    /// <summary>What a host was told is queued leaves the queue in the order in which it came, as it came.</summary>
    [AbilityFact]
    public virtual async Task RowsAreReadInTheOrderInWhichTheyWereAdded()
    {
        await AddAsync("n1", "a", "b", "c");
        await AddAsync("n2", "d");
        var rows = await ReadAsync();
        Assert.Equal(["a", "b", "c", "d"], rows.Select(row => row.Send.ClientMessageId));
        Assert.True(rows[0].Id > 0);
        Assert.Equal(rows.Select(row => row.Id).Order(), rows.Select(row => row.Id));
        var send = rows[3].Send;
        Assert.Equal(("n2", 5L, "ann", "d:3:ann:bob"), (send.NodeName, send.TimeMs, send.SenderId, send.ConversationId));
        Assert.Equal("content of d", Encoding.UTF8.GetString(send.Content.Span));
    }

    /// <summary>Pages are bounded in rows and bytes, and a row that is larger than a page is read all the same.</summary>
    [AbilityFact]
    public virtual async Task PagesAreBoundedInRowsAndBytes()
    {
        await AddAsync("n", "a", "b", "c", "d");
        var all = await ReadAsync();
        Assert.Equal(["a", "b"], Names(await SendQueue.ReadAsync(0, 2, Plenty, CancellationToken.None).Soon()));
        Assert.Equal(["c", "d"], Names(await SendQueue.ReadAsync(all[1].Id, 10, Plenty, CancellationToken.None).Soon()));
        Assert.Equal(["a"], Names(await SendQueue.ReadAsync(0, 10, 1, CancellationToken.None).Soon()));
        Assert.Equal(["b", "c"], Names(await SendQueue.ReadAsync(all[0].Id, 10, 2 * "content of b".Length, CancellationToken.None).Soon()));
        Assert.Empty(await SendQueue.ReadAsync(all[3].Id, 10, Plenty, CancellationToken.None).Soon());
    }

    /// <summary>Exactly what was sent leaves the queue; what stands between stays; numbers are never given again.</summary>
    [AbilityFact]
    public virtual async Task ExactlyTheNamedRowsAreRemoved()
    {
        await AddAsync("n", [.. Enumerable.Range(0, 250).Select(i => $"m{i:000}")]);
        var rows = await ReadAsync();
        await SendQueue.RemoveAsync([.. rows.Where((_, i) => i % 25 != 0).Select(row => row.Id)], CancellationToken.None).Soon();
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"m{i * 25:000}"), Names(await ReadAsync()));
        await SendQueue.RemoveAsync([.. rows.Select(row => row.Id)], CancellationToken.None).Soon();
        await SendQueue.RemoveAsync([rows[0].Id], CancellationToken.None).Soon();
        Assert.Empty(await ReadAsync());

        await AddAsync("n", "next");
        Assert.True(Assert.Single(await ReadAsync()).Id > rows[^1].Id);
    }

    /// <summary>The table does not grow without a bound: beyond it nothing of a call is added.</summary>
    [AbilityFact]
    public virtual async Task BeyondTheBoundNothingIsAdded()
    {
        await AddAsync("n", "a", "b", "c");
        Assert.False(await SendQueue.AddAsync([Send("n", "d"), Send("n", "e")], 4, CancellationToken.None).Soon());
        Assert.True(await SendQueue.AddAsync([Send("n", "d")], 4, CancellationToken.None).Soon());
        Assert.False(await SendQueue.AddAsync([Send("n", "e")], 4, CancellationToken.None).Soon());

        // Holes in the numbers hide no room.
        var rows = await ReadAsync();
        await SendQueue.RemoveAsync([rows[1].Id, rows[2].Id], CancellationToken.None).Soon();
        Assert.True(await SendQueue.AddAsync([Send("n", "e"), Send("n", "f")], 4, CancellationToken.None).Soon());
        Assert.Equal(["a", "d", "e", "f"], Names(await ReadAsync()));
    }

    /// <summary>A node learns that none of its own rows is left, and everybody how long the queue is.</summary>
    [AbilityFact]
    public virtual async Task TheStateTellsRowsAgeAndWhose()
    {
        Assert.Equal(default, await StateAsync("n1"));
        Assert.True(await SendQueue.AddAsync([Send("n1", "a") with { TimeMs = 7 }, Send("n1", "b")], Plenty, CancellationToken.None).Soon());
        Assert.Equal(new SendQueueState(2, 7, true), await StateAsync("n1"));
        Assert.Equal(new SendQueueState(2, 7, false), await StateAsync("n2"));
        await AddAsync("n2", "c");
        var rows = await ReadAsync();
        await SendQueue.RemoveAsync([rows[0].Id, rows[1].Id], CancellationToken.None).Soon();
        Assert.Equal(new SendQueueState(1, 5, false), await StateAsync("n1"));
        Assert.Equal(new SendQueueState(1, 5, true), await StateAsync("n2"));
        await SendQueue.RemoveAsync([rows[2].Id], CancellationToken.None).Soon();
        Assert.Equal(default, await StateAsync("n2"));
    }

    /// <summary>One node drains. Another one takes over only what it has seen to stand still, or what was given back.</summary>
    [AbilityFact]
    public virtual async Task OneOwnerAtATimeHasTheLease()
    {
        var first = await TakeAsync("one", SendQueueLease.Free);
        Assert.Equal("one", first.Owner);
        Assert.Equal(first, await TakeAsync("two", SendQueueLease.Free));

        // The holder renews it: what the other has seen is no longer there.
        var second = await TakeAsync("one", SendQueueLease.Free);
        Assert.True(second.Number > first.Number);
        Assert.Equal(second, await TakeAsync("two", first));

        // It stands still: the other takes it, and the first one learns that.
        var third = await TakeAsync("two", second);
        Assert.Equal(("two", true), (third.Owner, third.Number > second.Number));
        Assert.Equal(third, await TakeAsync("one", SendQueueLease.Free));
        Assert.Equal(third, await TakeAsync("one", second));

        await SendQueue.ReleaseLeaseAsync("one", CancellationToken.None).Soon();
        Assert.Equal(third, await TakeAsync("one", SendQueueLease.Free));
        await SendQueue.ReleaseLeaseAsync("two", CancellationToken.None).Soon();
        Assert.Equal("one", (await TakeAsync("one", SendQueueLease.Free)).Owner);
    }

    /// <summary>Of many that take the lease at once, one has it.</summary>
    [AbilityFact]
    public virtual async Task OfManyThatTakeTheLeaseAtOnceOneHasIt()
    {
        for (var round = 0; round < 5; round++)
        {
            var seen = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => TakeAsync($"owner{i}", SendQueueLease.Free)));
            var owner = Assert.Single(seen.Select(lease => lease.Owner).Distinct());
            await SendQueue.ReleaseLeaseAsync(owner, CancellationToken.None).Soon();
        }
    }

    /// <summary>Queued is durable: a restart finds rows where they were.</summary>
    [AbilityFact]
    public virtual async Task RowsAreThereAfterReopening()
    {
        await AddAsync("n", "a", "b");
        var before = await ReadAsync();
        await ReopenAsync();
        Assert.Equal(before.Select(row => row.Id), (await ReadAsync()).Select(row => row.Id));
        await AddAsync("n", "c");
        Assert.Equal(["a", "b", "c"], Names(await ReadAsync()));
    }

    /// <summary>Many callers at once lose nothing, and each one's rows stay in order.</summary>
    [AbilityFact]
    public virtual async Task ConcurrentAddsLoseNothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
            {
                await AddAsync($"n{caller}", $"{caller}.{i:00}a", $"{caller}.{i:00}b");
            }
        })));
        var rows = await ReadAsync();
        Assert.Equal(160, rows.Count);
        foreach (var caller in rows.GroupBy(row => row.Send.NodeName))
        {
            Assert.Equal(Names(caller).Order(StringComparer.Ordinal), Names(caller));
        }
    }

    private static QueuedSend Send(string node, string id) => new()
    {
        NodeName = node,
        TimeMs = 5,
        SenderId = "ann",
        ClientMessageId = id,
        ConversationId = "d:3:ann:bob",
        Content = Encoding.UTF8.GetBytes("content of " + id),
    };

    private static string[] Names(IEnumerable<QueuedRow> rows) => [.. rows.Select(row => row.Send.ClientMessageId)];

    private async Task AddAsync(string node, params string[] ids) =>
        Assert.True(await SendQueue.AddAsync([.. ids.Select(id => Send(node, id))], Plenty, CancellationToken.None).Soon());

    private Task<IReadOnlyList<QueuedRow>> ReadAsync() => SendQueue.ReadAsync(0, 10_000, int.MaxValue, CancellationToken.None).Soon();

    private Task<SendQueueState> StateAsync(string node) => SendQueue.GetStateAsync(node, CancellationToken.None).Soon();

    private Task<SendQueueLease> TakeAsync(string owner, SendQueueLease expired) => SendQueue.TakeLeaseAsync(owner, expired, CancellationToken.None).Soon();
}
