using Im.Outbox.Internal;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the health check of the outbox.</summary>
public static class ImOutboxHealthChecksBuilderExtensions
{
    private const string Name = "im-outbox";

    /// <summary>
    /// Adds the check <c>im-outbox</c>: whether the relay can use the host's database. A node that does not hold the lease is healthy. It reads what the
    /// relay saw last and asks the database nothing. Can be safely called multiple times; the first call counts.
    /// </summary>
    /// <param name="builder">What <c>AddHealthChecks</c> returned.</param>
    /// <param name="failureStatus">What a failure is reported as; null = unhealthy.</param>
    /// <param name="tags">For example <c>ready</c>.</param>
    public static IHealthChecksBuilder AddImOutbox(
        this IHealthChecksBuilder builder, HealthStatus? failureStatus = null, params IEnumerable<string> tags)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var registration = new HealthCheckRegistration(
            Name, provider => new OutboxHealthCheck(provider.GetRequiredService<OutboxStatus>()), failureStatus, tags);
        builder.Services.Configure<HealthCheckServiceOptions>(options =>
        {
            if (options.Registrations.All(check => check.Name != Name))
            {
                options.Registrations.Add(registration);
            }
        });
        return builder;
    }
}
