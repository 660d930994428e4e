using Im.Cluster;
using Im.Rooms;
using Im.Storage;
using Im.Storage.Redis;
using Im.Storage.Redis.Internal;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes one of several nodes of a server.</summary>
public static class ImRedisBuilderExtensions
{
    /// <summary>
    /// Makes this server a node of a cluster that meets in Redis. It needs a store that several nodes share, such as <c>UseMySql(…)</c>: with another one
    /// the start fails. Can be safely called multiple times; the last configuration counts.
    /// </summary>
    /// <remarks>A Redis that is away neither fails nor delays the start, and is connected to when it comes.</remarks>
    /// <param name="builder">What <c>AddImServer</c> returned.</param>
    /// <param name="configuration">As StackExchange.Redis reads it: <c>redis1:6379,redis2:6379,password=…,ssl=true</c>.</param>
    /// <param name="configure">Prefix, timeouts and limits. Several calls configure the same options, one after the other.</param>
    public static IImServerBuilder UseRedis(this IImServerBuilder builder, string configuration, Action<ImRedisOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configuration);
        return Use(builder, options => (options.Configuration, options.Connect) = (configuration, null), configure);
    }

    /// <summary>The same over a multiplexer that the host makes and disposes of.</summary>
    /// <param name="builder">What <c>AddImServer</c> returned.</param>
    /// <param name="connect">
    /// Called when Redis is first used, and again where it failed. Connect with <c>abortConnect=false</c>, so that the multiplexer comes back by itself.
    /// </param>
    /// <param name="configure">Prefix, timeouts and limits.</param>
    public static IImServerBuilder UseRedis(
        this IImServerBuilder builder, Func<IServiceProvider, Task<IConnectionMultiplexer>> connect, Action<ImRedisOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(connect);
        return Use(builder, options => options.Connect = connect, configure);
    }

    private static IImServerBuilder Use(IImServerBuilder builder, Action<ImRedisOptions> choose, Action<ImRedisOptions>? configure)
    {
        var services = builder.Services;
        var options = services.AddOptions<ImRedisOptions>().Configure(choose).ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ImRedisOptions>, RedisOptionsValidator>());
        services.TryAddSingleton<RedisMetrics>();
        services.TryAddSingleton<MultiplexerSource>();
        services.TryAddSingleton<RedisConnection>();
        services.TryAddSingleton<RedisKeys>();
        services.Replace(ServiceDescriptor.Singleton<ISessionDirectory, RedisSessionDirectory>());
        services.Replace(ServiceDescriptor.Singleton<IBackplane, RedisBackplane>());
        services.Replace(ServiceDescriptor.Singleton<ISequenceAllocator, RedisSequenceAllocator>());
        services.Replace(ServiceDescriptor.Singleton<IGroupMemberCache, RedisGroupMemberCache>());
        services.Replace(ServiceDescriptor.Singleton<IRoomStore, RedisRoomStore>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IStorageInitializer, SharedStoreCheck>());
        return builder;
    }
}
