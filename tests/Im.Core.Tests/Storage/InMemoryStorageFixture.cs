using Im.Storage.InMemory;
using Im.Testing.Specification;
using Im.Timelines;

namespace Im.Storage;

/// <summary>The in-memory stores for the suites.</summary>
public sealed class InMemoryStorageFixture : IStorageFixture
{
    private InMemoryState _state = new();

    public ValueTask<StoreSet> CreateAsync() => new(StoresOver(_state));

    public ValueTask ResetAsync()
    {
        _state = new InMemoryState();
        return ValueTask.CompletedTask;
    }

    public ValueTask DropBodyAsync(string conversationId, ConversationSeq seq)
    {
        _state.DropBody(conversationId, seq);
        return ValueTask.CompletedTask;
    }

    internal static StoreSet StoresOver(InMemoryState state) => new(
        new InMemoryMessageStore(state),
        new InMemoryGroupStore(state),
        new InMemoryConversationStore(state),
        new InMemoryDeviceStore(state))
    {
        Retention = new InMemoryRetentionStore(state),
        UserData = new InMemoryUserDataStore(state),
        SendQueue = new InMemorySendQueue(state),
        Probe = new InMemoryStorageProbe(),
    };
}
