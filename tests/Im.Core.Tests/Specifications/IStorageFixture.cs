using Im.Storage;
using Im.Timelines;

namespace Im.Testing.Specification;

/// <summary>Gives the suites the stores of one adapter.</summary>
public interface IStorageFixture
{
    /// <summary>The stores over empty storage, or over what an earlier call's stores have written since the last reset.</summary>
    ValueTask<StoreSet> CreateAsync();

    /// <summary>Empties the storage.</summary>
    ValueTask ResetAsync();

    /// <summary>Drops the body of an entry in the way that retention does.</summary>
    ValueTask DropBodyAsync(string conversationId, ConversationSeq seq);
}

/// <summary>The four stores of one adapter.</summary>
public sealed record StoreSet(
    IMessageStore Messages, IGroupStore Groups, IConversationStore Conversations, IDeviceStore Devices);
