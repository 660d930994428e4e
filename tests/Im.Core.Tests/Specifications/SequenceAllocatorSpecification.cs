using Im.Timelines;

namespace Im.Testing.Specification;

/// <summary>The rules of <see cref="ISequenceAllocator"/>. Wrong proposals are allowed; these make them rare.</summary>
public abstract class SequenceAllocatorSpecification
{
    private static readonly TimelineKey Conversation = TimelineKey.Conversation("x");
    private static readonly TimelineKey Inbox = TimelineKey.Inbox("x");

    // The store decides where nobody knows anything: no made-up number is ever proposed.
    [Fact]
    public async Task WhatWasNeverObservedIsUnknown()
    {
        var allocator = await CreateAsync();
        var proposed = await ProposeAsync(allocator, Conversation, Inbox);
        Assert.Equal([ISequenceAllocator.Unknown, ISequenceAllocator.Unknown], proposed);
    }

    // Trap 12: what the store said last wins, also when it is lower than before (a restored store).
    [Fact]
    public async Task WhatWasObservedLastIsProposed()
    {
        var allocator = await CreateAsync();
        foreach (var head in new long[] { 5, 9, 2, 0 })
        {
            allocator.Observe([Conversation], new[] { head });
            Assert.Equal(head, (await ProposeAsync(allocator, Conversation))[0]);
        }
    }

    // Trap 4: a conversation and an inbox of the same name are two timelines.
    [Fact]
    public async Task ConversationsAndInboxesAreKeptApart()
    {
        var allocator = await CreateAsync();
        allocator.Observe([Conversation, Inbox], new long[] { 3, 8 });

        var proposed = await ProposeAsync(allocator, Inbox, Conversation, TimelineKey.Inbox("X"));
        Assert.Equal([8L, 3L, ISequenceAllocator.Unknown], proposed);
    }

    protected static async Task<long[]> ProposeAsync(ISequenceAllocator allocator, params TimelineKey[] timelines)
    {
        // Filled with something else, so that a place left out is noticed.
        var heads = Enumerable.Repeat(-77L, timelines.Length).ToArray();
        await allocator.ProposeAsync(timelines, heads, CancellationToken.None).Soon();
        return heads;
    }

    protected abstract ValueTask<ISequenceAllocator> CreateAsync();
}
