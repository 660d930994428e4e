using System.Diagnostics.CodeAnalysis;
using Im.Transport.WebSockets.Internal;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the endpoint to which clients connect.</summary>
public static class ImEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the WebSocket endpoint of the IM server. <c>app.UseWebSockets()</c> is not needed. With <c>RequireAuthorization()</c> on the
    /// result, the host's own authentication says who connects: the principal reaches the user provider.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">The route, for example <c>/im</c>.</param>
    /// <returns>A builder for the endpoint's conventions.</returns>
    /// <exception cref="InvalidOperationException"><c>AddWebSocketTransport</c> was not called.</exception>
    public static IEndpointConventionBuilder MapIm(this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        var transport = endpoints.ServiceProvider.GetService<WebSocketTransport>() ?? throw new InvalidOperationException(
            "MapIm needs the WebSocket transport. Add it to the services: builder.Services.AddImServer().AddWebSocketTransport();");
        var endpoint = new ImEndpoint(transport);
        var pipeline = endpoints.CreateApplicationBuilder();
        pipeline.Use(next => context =>
        {
            UpgradeFeatures.Install(context.Features);
            return next(context);
        });

        // The core counts what clients send as life; pings of the server's would say nothing.
        pipeline.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        pipeline.Run(endpoint.HandleAsync);
        return endpoints.Map(pattern, pipeline.Build()).WithDisplayName($"IM {pattern}");
    }
}
