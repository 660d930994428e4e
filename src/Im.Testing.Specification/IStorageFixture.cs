using Im.Timelines;

namespace Im.Testing.Specification;

/// <summary>Gives the suites the stores of one adapter.</summary>
/// <remarks>One fixture serves one fact after the other, never two at once: give each test class its own storage, or one collection.</remarks>
public interface IStorageFixture
{
    /// <summary>Why two sets of stores may not append to one storage at once, as two nodes would; null = they may.</summary>
    string? OneNodeOnly => null;

    /// <summary>
    /// Opens the stores over empty storage, or over what an earlier call's stores have written since the last reset. Several sets may be open
    /// at once, unless <see cref="OneNodeOnly"/> says otherwise.
    /// </summary>
    ValueTask<StoreSet> CreateAsync();

    /// <summary>Closes stores that <see cref="CreateAsync"/> opened, as a server does that stops; what they wrote stays.</summary>
    ValueTask CloseAsync(StoreSet stores) => ValueTask.CompletedTask;

    /// <summary>Empties the storage. No stores are open.</summary>
    ValueTask ResetAsync();

    /// <summary>Drops the body of an entry in the way that retention does.</summary>
    ValueTask DropBodyAsync(string conversationId, ConversationSeq seq);
}
