using System.Diagnostics.CodeAnalysis;
using Im.Administration;
using Im.Administration.Internal;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Adds the admin API and its status page.</summary>
public static class ImAdminEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps the admin API and its status page. They are closed until <c>RequireAuthorization("policy")</c> is called on the result, and stay closed where
    /// <c>AllowAnonymous</c> is, or where no authorization middleware has looked at the request.
    /// </summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">The route under which everything is, for example <c>/im/admin</c>.</param>
    /// <returns>A builder for the conventions of all these endpoints.</returns>
    /// <exception cref="InvalidOperationException"><c>AddImServer</c> was not called.</exception>
    public static IEndpointConventionBuilder MapImAdmin(this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern = "/im/admin")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        if (endpoints.ServiceProvider.GetService<IImAdmin>() is null)
        {
            throw new InvalidOperationException("MapImAdmin needs the IM server. Add it to the services: builder.Services.AddImServer();");
        }

        var group = endpoints.MapGroup(pattern);
        var runner = ActivatorUtilities.CreateInstance<AdminRunner>(endpoints.ServiceProvider);
        foreach (var route in AdminRoutes.All)
        {
            group.MapMethods(route.Pattern, [route.Method], context => runner.RunAsync(context, route)).WithDisplayName($"IM admin {route.Method} {route.Pattern}");
        }

        group.MapGet("/openapi.json", context => runner.RunAsync(context, AdminFiles.OpenApi)).WithDisplayName("IM admin openapi.json");
        foreach (var file in AdminFiles.Page)
        {
            group.MapGet(file.Pattern, context => runner.RunAsync(context, file)).WithDisplayName($"IM admin page {file.Pattern}");
        }

        return group;
    }
}
