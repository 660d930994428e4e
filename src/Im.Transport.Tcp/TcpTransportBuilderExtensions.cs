using Im.Connections;
using Im.Transport.Tcp;
using Im.Transport.Tcp.Internal;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the TCP transport.</summary>
public static class TcpTransportBuilderExtensions
{
    /// <summary>Lets native clients connect over TCP: port 9000 of every address. Can be safely called multiple times.</summary>
    /// <param name="builder">What <c>AddImServer</c> returned.</param>
    /// <param name="configure">Ports, certificates and limits. Several calls configure the same transport, one after the other.</param>
    /// <remarks>The addresses that are listened on are known to <see cref="ITcpTransportEndpoints"/> after the start.</remarks>
    public static IImServerBuilder AddTcpTransport(this IImServerBuilder builder, Action<TcpTransportOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        var options = services.AddOptions<TcpTransportOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<TcpTransportOptions>, TcpTransportOptionsValidator>());
        services.TryAddSingleton<TcpTransport>();
        services.TryAddSingleton<ITcpTransportEndpoints>(provider => provider.GetRequiredService<TcpTransport>());
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<IImTransport, TcpTransport>(provider => provider.GetRequiredService<TcpTransport>()));
        return builder;
    }
}
