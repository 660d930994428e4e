using Im.Storage;

namespace Im.Testing.Specification;

/// <summary>The stores of one adapter, opened over one storage.</summary>
/// <param name="Messages">Timelines and messages.</param>
/// <param name="Groups">Groups.</param>
/// <param name="Conversations">Conversations as users see them.</param>
/// <param name="Devices">Devices and acks.</param>
public sealed record StoreSet(IMessageStore Messages, IGroupStore Groups, IConversationStore Conversations, IDeviceStore Devices)
{
    /// <summary>Retention, where the adapter has it.</summary>
    public IRetentionStore? Retention { get; init; }

    /// <summary>Erasing and exporting what is kept of a user, where the adapter has it.</summary>
    public IUserDataStore? UserData { get; init; }

    /// <summary>The queue of sends, where the adapter has one.</summary>
    public ISendQueue? SendQueue { get; init; }

    /// <summary>The health probe, where the adapter has it.</summary>
    public IStorageProbe? Probe { get; init; }
}
