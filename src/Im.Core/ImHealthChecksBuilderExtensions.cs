using Im.Diagnostics;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the IM server's health check.</summary>
public static class ImHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a check that says whether this node is to get traffic: unhealthy while it drains or its store takes no writes, degraded while its queue is
    /// nearly full. It can be safely called multiple times: a second check of the same name is not added.
    /// </summary>
    /// <param name="builder">What <c>AddHealthChecks()</c> returns.</param>
    /// <param name="name">The check's name.</param>
    /// <param name="failureStatus">What is reported instead of unhealthy; null = unhealthy.</param>
    /// <param name="tags">For filters, for example <c>ready</c>.</param>
    public static IHealthChecksBuilder AddImServer(
        this IHealthChecksBuilder builder, string name = "im", HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        builder.Services.Configure<HealthCheckServiceOptions>(options =>
        {
            if (options.Registrations.All(registration => registration.Name != name))
            {
                options.Registrations.Add(new HealthCheckRegistration(name, Resolve, failureStatus, tags));
            }
        });
        return builder;
    }

    private static IHealthCheck Resolve(IServiceProvider services) => services.GetService<ImHealthCheck>()
        ?? throw new InvalidOperationException(
            "The IM server's health check has no IM server. Add the line: builder.Services.AddImServer().AddUserProvider<MyUserProvider>();");
}
