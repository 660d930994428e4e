using Im.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Testing.Internal;

/// <summary>In-memory stores that outlive the nodes over them, so that a restart finds what was stored.</summary>
internal sealed class MemoryStorage : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public MemoryStorage(TimeProvider time)
    {
        var services = new ServiceCollection();
        services.AddSingleton(time);
        services.AddImServer();
        _services = services.BuildServiceProvider();
    }

    /// <summary>Gives a node these stores. A <c>Use…</c> verb of an adapter replaces them.</summary>
    public void AddTo(IServiceCollection services)
    {
        Share<IMessageStore>();
        Share<IGroupStore>();
        Share<IConversationStore>();
        Share<IDeviceStore>();
        ShareAbility<IRetentionStore>();
        ShareAbility<IUserDataStore>();
        ShareAbility<IStorageProbe>();

        // By factory, and the container would dispose what it made: none of the stores is disposable.
        void Share<T>()
            where T : class => services.AddSingleton(_ => _services.GetRequiredService<T>());

        // Beside another message store there is none, which is null, as in the server itself.
        void ShareAbility<T>()
            where T : class => services.AddSingleton(provider =>
                provider.GetRequiredService<IMessageStore>() == _services.GetRequiredService<IMessageStore>() ? _services.GetService<T>()! : null!);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
