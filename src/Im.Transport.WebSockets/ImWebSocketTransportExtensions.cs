using Im.Connections;
using Im.Transport.WebSockets;
using Im.Transport.WebSockets.Internal;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the WebSocket transport to the server.</summary>
public static class ImWebSocketTransportExtensions
{
    /// <summary>
    /// Lets clients connect by WebSocket, at the endpoint that <c>app.MapIm("/im")</c> adds. Can be safely called multiple times; every
    /// <paramref name="configure"/> counts, in order.
    /// </summary>
    /// <param name="builder">What <c>AddImServer</c> returned.</param>
    /// <param name="configure">Changes the options; each has a default.</param>
    /// <returns>The same builder.</returns>
    public static IImServerBuilder AddWebSocketTransport(this IImServerBuilder builder, Action<WebSocketTransportOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        services.AddLogging();
        services.AddOptions<WebSocketTransportOptions>().ValidateOnStart();
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<WebSocketTransport>();
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IValidateOptions<WebSocketTransportOptions>, WebSocketTransportOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IImTransport, WebSocketTransport>(
            static provider => provider.GetRequiredService<WebSocketTransport>()));
        return builder;
    }
}
