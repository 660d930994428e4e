using Im.Timelines;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="ISequenceAllocator"/>. Wrong proposals are allowed; these make them rare.</summary>
public abstract class SequenceAllocatorSpecification
{
    private static readonly TimelineKey Conversation = TimelineKey.Conversation("x");
    private static readonly TimelineKey Inbox = TimelineKey.Inbox("x");

    /// <summary>The store decides where nobody knows anything: no made-up number is ever proposed.</summary>
    [Fact]
    public virtual async Task WhatWasNeverObservedIsUnknown()
    {
        var allocator = await CreateAsync();
        var proposed = await ProposeAsync(allocator, Conversation, Inbox);
        Assert.Equal([ISequenceAllocator.Unknown, ISequenceAllocator.Unknown], proposed);
    }

    /// <summary>Trap 12: what the store said last wins, also when it is lower than before (a restored store).</summary>
    [Fact]
    public virtual async Task WhatWasObservedLastIsProposed()
    {
        var allocator = await CreateAsync();
        foreach (var head in new long[] { 5, 9, 2, 0 })
        {
            allocator.Observe([Conversation], new[] { head });
            Assert.Equal(head, (await ProposeAsync(allocator, Conversation))[0]);
        }
    }

    /// <summary>Trap 4: a conversation and an inbox of the same name are two timelines.</summary>
    [Fact]
    public virtual async Task ConversationsAndInboxesAreKeptApart()
    {
        var allocator = await CreateAsync();
        allocator.Observe([Conversation, Inbox], new long[] { 3, 8 });

        var proposed = await ProposeAsync(allocator, Inbox, Conversation, TimelineKey.Inbox("X"));
        Assert.Equal([8L, 3L, ISequenceAllocator.Unknown], proposed);
    }

    /// <summary>What an allocator proposes for some timelines.</summary>
    protected static async Task<long[]> ProposeAsync(ISequenceAllocator allocator, params TimelineKey[] timelines)
    {
        // Filled with something else, so that a place left out is noticed.
        var heads = Enumerable.Repeat(-77L, timelines.Length).ToArray();
        await allocator.ProposeAsync(timelines, heads, CancellationToken.None).Soon();
        return heads;
    }

    /// <summary>An allocator that has observed nothing.</summary>
    protected abstract ValueTask<ISequenceAllocator> CreateAsync();
}
