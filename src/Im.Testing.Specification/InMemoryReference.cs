using Im.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Testing.Specification;

/// <summary>The in-memory stores, as a host gets them that chooses no storage; and what they say of groups.</summary>
internal sealed class InMemoryReference : IKnownGroups, IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private Dictionary<string, StoredGroup> _groups = [];

    public InMemoryReference()
    {
        var services = new ServiceCollection();
        services.AddImServer();
        _services = services.BuildServiceProvider();
        Stores = new StoreSet(
            _services.GetRequiredService<IMessageStore>(),
            _services.GetRequiredService<IGroupStore>(),
            _services.GetRequiredService<IConversationStore>(),
            _services.GetRequiredService<IDeviceStore>())
        {
            Retention = _services.GetService<IRetentionStore>(),
            UserData = _services.GetService<IUserDataStore>(),
            SendQueue = _services.GetService<ISendQueue>(),
        };
    }

    public StoreSet Stores { get; }

    /// <summary>Looks the groups up, so that <see cref="Find"/> knows them.</summary>
    public async Task RefreshAsync()
    {
        var groups = await Stores.Groups.GetGroupsAsync(RandomItems.Groups, int.MaxValue, CancellationToken.None).Soon();
        _groups = groups.OfType<StoredGroup>().ToDictionary(group => group.ConversationId);
    }

    public (string Fanout, IEnumerable<string> Members, long Version)? Find(string conversationId) =>
        _groups.TryGetValue(conversationId, out var group) ? (group.Fanout, group.Members, group.Version) : null;

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
