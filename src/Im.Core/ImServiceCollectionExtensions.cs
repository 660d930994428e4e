using System.Diagnostics.CodeAnalysis;
using Im;
using Im.Administration;
using Im.Cluster;
using Im.Cluster.InMemory;
using Im.Connections;
using Im.Conversations;
using Im.Data;
using Im.Devices;
using Im.Diagnostics;
using Im.Fanout;
using Im.Groups;
using Im.Messaging;
using Im.Messaging.Queue;
using Im.Presence;
using Im.Retention;
using Im.Rooms;
using Im.Rooms.InMemory;
using Im.Storage;
using Im.Storage.InMemory;
using Im.Sync;
using Im.Timelines;
using Im.Users;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the IM server.</summary>
public static class ImServiceCollectionExtensions
{
    /// <summary>Adds the IM server; alone it keeps everything in memory.</summary>
    /// <remarks>
    /// What the host registered before wins; configuring delegates of several calls all apply, in order. It can be safely called multiple times.
    /// Go on with <c>AddUserProvider&lt;T&gt;()</c> and at least one transport.
    /// </remarks>
    public static IImServerBuilder AddImServer(this IServiceCollection services, Action<ImServerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<ImServerOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ImServerOptions>, ImServerOptionsValidator>());
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.AddOptions<ImRetentionOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ImRetentionOptions>, ImRetentionOptionsValidator>());
        services.AddOptions<ImClusterOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ImClusterOptions>, ImClusterOptionsValidator>());
        services.AddOptions<ImRoomOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ImRoomOptions>, ImRoomOptionsValidator>());
        services.AddOptions<ImAdminOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ImAdminOptions>, ImAdminOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        AddCluster(services);
        AddStorage(services);
        AddInternals(services);
        AddRooms(services);
        ImPresenceBuilderExtensions.AddPresence(services);
        AddAdministration(services);
        services.TryAddSingleton<IImMessages, ImMessages>();
        services.TryAddSingleton<IImGroups, ImGroups>();
        services.TryAddSingleton<IImConversations, ImConversations>();
        services.TryAddSingleton<IImSessions, ImSessions>();
        services.TryAddSingleton<IImData, ImData>();
        services.TryAddSingleton<IImServer, ImServer>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ImServerHost>());
        return new Builder(services);
    }

    /// <summary>Says who the host's users are. The last call counts; a new scope for each use, so a <c>DbContext</c> can be injected.</summary>
    public static IImServerBuilder AddUserProvider<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IImServerBuilder builder)
        where T : class, IUserProvider
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Replace(ServiceDescriptor.Scoped<IUserProvider, T>());
        return builder;
    }

    /// <summary>Adds an interceptor, after those added before. Adding the same type again is no error.</summary>
    public static IImServerBuilder AddMessageInterceptor<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IImServerBuilder builder)
        where T : class, IMessageInterceptor
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IMessageInterceptor, T>());
        return builder;
    }

    /// <summary>Adds an offline notifier. Adding the same type again is no error.</summary>
    public static IImServerBuilder AddOfflineNotifier<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IImServerBuilder builder)
        where T : class, IOfflineNotifier
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IOfflineNotifier, T>());
        return builder;
    }

    /// <summary>Adds a listener of queued sends. Adding the same type again is no error.</summary>
    public static IImServerBuilder AddQueuedSendListener<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IImServerBuilder builder)
        where T : class, IQueuedSendListener
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IQueuedSendListener, T>());
        return builder;
    }

    /// <summary>
    /// Says what is kept for how long. Without it messages are kept for ever, ids of sends and the commit log for 7 days. It can be safely called multiple
    /// times: all delegates apply, in order.
    /// </summary>
    public static IImServerBuilder UseRetention(this IImServerBuilder builder, Action<ImRetentionOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.Configure(configure);
        return builder;
    }

    /// <summary>Sets intervals and limits of the cluster. It can be safely called multiple times: all delegates apply, in order.</summary>
    public static IImServerBuilder UseCluster(this IImServerBuilder builder, Action<ImClusterOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.Configure(configure);
        return builder;
    }

    /// <summary>Sets limits of the admin operations. It can be safely called multiple times: all delegates apply, in order.</summary>
    public static IImServerBuilder UseAdmin(this IImServerBuilder builder, Action<ImAdminOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.Configure(configure);
        return builder;
    }

    /// <summary>
    /// Makes several servers of this process, which share a storage, one cluster: for tests. Without it a server is a cluster of its own. The last call counts.
    /// </summary>
    public static IImServerBuilder UseInMemoryCluster(this IImServerBuilder builder, InMemoryCluster cluster)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(cluster);
        builder.Services.Replace(ServiceDescriptor.Singleton(cluster));
        builder.Services.Replace(ServiceDescriptor.Singleton<ISessionDirectory>(provider => new InMemorySessionDirectory(provider.GetRequiredService<InMemoryCluster>())));
        builder.Services.Replace(ServiceDescriptor.Singleton<IBackplane>(provider => new InMemoryBackplane(provider.GetRequiredService<InMemoryCluster>())));
        return builder;
    }

    private static void AddCluster(IServiceCollection services)
    {
        services.TryAddSingleton(provider => new InMemoryCluster(provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<ISessionDirectory>(provider => new InMemorySessionDirectory(provider.GetRequiredService<InMemoryCluster>()));
        services.TryAddSingleton<IBackplane>(provider => new InMemoryBackplane(provider.GetRequiredService<InMemoryCluster>()));
        services.TryAddSingleton<ClusterState>();
        services.TryAddSingleton<ClusterSender>();
        services.TryAddSingleton<ClusterSessions>();
        services.TryAddSingleton<ClusterReceiver>();
        services.TryAddSingleton<ClusterRequests>();
        services.TryAddSingleton<ClusterNode>();
        services.TryAddSingleton<ClusterHost>();
        services.TryAddSingleton<RemoteSignals>();
        services.TryAddSingleton<EarlyChunks>();
        services.TryAddSingleton<LocalDelivery>();
        services.TryAddSingleton<OnlineUsers>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterOperation, ListSessions>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterOperation, DisconnectSessions>());
    }

    private static void AddAdministration(IServiceCollection services)
    {
        services.TryAddSingleton<RateSampler>();
        services.TryAddSingleton<NoticeLog>();
        services.TryAddSingleton<NodeInspector>();
        services.TryAddSingleton<ConnectionInspector>();
        services.TryAddSingleton<MessageTracer>();
        services.TryAddSingleton<InboxFinder>();
        services.TryAddSingleton<NodeQuestions>();
        services.TryAddSingleton<IImAdmin, ImAdmin>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterOperation, DescribeNode>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterOperation, ListConnections>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterOperation, DescribeConnection>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterOperation, CloseConnection>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterOperation, DescribePlaces>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterOperation, Broadcast>());
    }

    private static void AddStorage(IServiceCollection services)
    {
        services.TryAddSingleton(provider => new InMemoryState(provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<IMessageStore>(provider => new InMemoryMessageStore(provider.GetRequiredService<InMemoryState>()));
        services.TryAddSingleton<IGroupStore>(provider => new InMemoryGroupStore(provider.GetRequiredService<InMemoryState>()));
        services.TryAddSingleton<IConversationStore>(provider => new InMemoryConversationStore(provider.GetRequiredService<InMemoryState>()));
        services.TryAddSingleton<IDeviceStore>(provider => new InMemoryDeviceStore(provider.GetRequiredService<InMemoryState>()));
        services.TryAddSingleton<ISequenceAllocator>(_ => new CachedSequenceAllocator());

        // Beside another message store the in-memory ones would answer for data that they do not have: then there is none, which is null.
        services.TryAddSingleton<IRetentionStore>(provider => IsInMemory(provider) ? new InMemoryRetentionStore(provider.GetRequiredService<InMemoryState>()) : null!);
        services.TryAddSingleton<IUserDataStore>(provider => IsInMemory(provider) ? new InMemoryUserDataStore(provider.GetRequiredService<InMemoryState>()) : null!);
        services.TryAddSingleton<ISendQueue>(provider => IsInMemory(provider) ? new InMemorySendQueue(provider.GetRequiredService<InMemoryState>()) : null!);
        services.TryAddSingleton<IStorageProbe>(provider => IsInMemory(provider) ? new InMemoryStorageProbe() : null!);
    }

    private static void AddRooms(IServiceCollection services)
    {
        services.TryAddSingleton(provider => new InMemoryRooms(provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<IRoomStore>(provider => new InMemoryRoomStore(provider.GetRequiredService<InMemoryRooms>()));
        services.TryAddSingleton<RoomMetrics>();
        services.TryAddSingleton<RoomStoreFailures>();
        services.TryAddSingleton<RoomPublisher>();
        services.TryAddSingleton<RoomRegistry>();
        services.TryAddSingleton<RoomReplayReader>();
        services.TryAddSingleton<RoomAccessCheck>();
        services.TryAddSingleton<RoomRequests>();
        services.TryAddSingleton<IImRooms, ImRooms>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterOperation, CountRoomSubscribers>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterOperation, RemoveRoomSubscribers>());
    }

    private static bool IsInMemory(IServiceProvider provider) => provider.GetRequiredService<IMessageStore>() is InMemoryMessageStore;

    private static void AddInternals(IServiceCollection services)
    {
        services.TryAddSingleton<ServerLifetime>();
        services.TryAddSingleton<ImMetrics>();
        services.TryAddSingleton<Checkpoints>();
        services.TryAddSingleton<SessionRegistry>();
        services.TryAddSingleton<ConversationReaders>();
        services.TryAddSingleton<ConnectionServices>();
        services.TryAddSingleton<ConnectionRegistry>();
        services.TryAddSingleton<Requests>();
        services.TryAddSingleton<SignInHandler>();
        services.TryAddSingleton<Heartbeat>();
        services.TryAddSingleton(provider => new RecentEntries(provider.GetRequiredService<IOptions<ImServerOptions>>().Value.RecentEntriesBytes));
        services.TryAddSingleton<PageReader>();
        services.TryAddSingleton<CatchUpScheduler>();
        services.TryAddSingleton<HistoryImport>();
        services.TryAddSingleton<HeadCheck>();
        services.TryAddSingleton<RetentionLoop>();
        services.TryAddSingleton<StorageHealth>();
        services.TryAddSingleton<ImHealthCheck>();
        services.TryAddSingleton<SignInReader>();
        services.TryAddSingleton<SyncReader>();
        services.TryAddSingleton<HistoryReader>();
        services.TryAddSingleton<UserDirectory>();
        services.TryAddSingleton<IGroupMemberCache>(_ => new InMemoryGroupMemberCache(capacity: 0));
        services.TryAddSingleton<GroupMemberFiller>();
        services.TryAddSingleton<LargeGroupMembers>();
        services.TryAddSingleton<ConversationCache>();
        services.TryAddSingleton<GroupRules>();
        services.TryAddSingleton<GroupChanger>();
        services.TryAddSingleton<ReadMarks>();
        services.TryAddSingleton<DeviceAcks>();
        services.TryAddSingleton<Interceptors>();
        services.TryAddSingleton<SignalRelay>();
        services.TryAddSingleton<SendPipeline>();
        services.TryAddSingleton<LargeGroupNotices>();
        services.TryAddSingleton<AfterCommit>();
        services.TryAddSingleton<Delivery>();
        services.TryAddSingleton<Committer>();
        services.TryAddSingleton<SendQueueGate>();
        services.TryAddSingleton<SendQueueStatus>();
        services.TryAddSingleton<SendQueueWriter>();
        services.TryAddSingleton<SendQueueWatcher>();
        services.TryAddSingleton<DrainLease>();
        services.TryAddSingleton<QueuedSender>();
        services.TryAddSingleton<SendQueueDrainer>();
        services.TryAddSingleton<SendQueue>();
        services.TryAddSingleton<FanoutStrategies>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IFanoutStrategy, WriteFanout>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IFanoutStrategy, ReadFanout>());
        AddLoop<CatchUpScheduler>(services);
        AddLoop<Heartbeat>(services);
        AddLoop<HeadCheck>(services);
        AddLoop<RetentionLoop>(services);
        AddLoop<GroupMemberFiller>(services);
        AddLoop<RoomRegistry>(services);
    }

    private static void AddLoop<T>(IServiceCollection services)
        where T : class, IServerLoop =>
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IServerLoop, T>(provider => provider.GetRequiredService<T>()));

    private sealed class Builder(IServiceCollection services) : IImServerBuilder
    {
        public IServiceCollection Services { get; } = services;
    }
}
