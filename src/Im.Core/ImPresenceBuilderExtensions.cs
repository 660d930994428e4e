using System.Diagnostics.CodeAnalysis;
using Im;
using Im.Cluster;
using Im.Presence;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Says who is told of whose presence, and sets the limits of presence and signals.</summary>
public static class ImPresenceBuilderExtensions
{
    /// <summary>Adds a listener, after those added before. Adding the same type again is no error.</summary>
    public static IImServerBuilder AddPresenceListener<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IImServerBuilder builder)
        where T : class, IPresenceListener
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IPresenceListener, T>());
        return builder;
    }

    /// <summary>
    /// Says who may see whose presence, in place of the default: users of whom one has a direct conversation with the other. The last call counts; a new
    /// scope for each question, so a <c>DbContext</c> can be injected.
    /// </summary>
    public static IImServerBuilder AddPresencePolicy<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this IImServerBuilder builder)
        where T : class, IPresencePolicy
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.Replace(ServiceDescriptor.Scoped<IPresencePolicy, T>());
        return builder;
    }

    /// <summary>Sets the limits of presence and signals. It can be safely called multiple times: all delegates apply, in order.</summary>
    public static IImServerBuilder UsePresence(this IImServerBuilder builder, Action<ImPresenceOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.Configure(configure);
        return builder;
    }

    internal static void AddPresence(IServiceCollection services)
    {
        services.AddOptions<ImPresenceOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ImPresenceOptions>, ImPresenceOptionsValidator>());
        services.TryAddScoped<IPresencePolicy, DirectConversationPolicy>();
        services.TryAddSingleton<PresenceMetrics>();
        services.TryAddSingleton<PresenceReader>();
        services.TryAddSingleton<PresenceWatches>();
        services.TryAddSingleton<PresenceEvents>();
        services.TryAddSingleton<PresencePublisher>();
        services.TryAddSingleton<PresenceNotifier>();
        services.TryAddSingleton<PresenceSubscriptions>();
        services.TryAddSingleton<PresenceHost>();
        services.TryAddSingleton<Broadcasts>();
        services.TryAddSingleton<SignalSender>();
        services.TryAddSingleton<IImPresence, ImPresence>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ISessionObserver, PresencePublisher>(provider => provider.GetRequiredService<PresencePublisher>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterListener, PresenceNotifier>(provider => provider.GetRequiredService<PresenceNotifier>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IClusterOperation, OnlineReaders>());
    }
}
