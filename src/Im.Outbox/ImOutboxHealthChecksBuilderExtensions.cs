using Im.Outbox.Internal;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the health check of the outbox.</summary>
public static class ImOutboxHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds the check <c>im-outbox</c>: whether the relay can use the host's database. A node that does not hold the lease is healthy. It reads what the
    /// relay saw last and asks the database nothing. Call it once.
    /// </summary>
    /// <param name="builder">What <c>AddHealthChecks</c> returned.</param>
    /// <param name="failureStatus">What a failure is reported as; null = unhealthy.</param>
    /// <param name="tags">For example <c>ready</c>.</param>
    public static IHealthChecksBuilder AddImOutbox(
        this IHealthChecksBuilder builder, HealthStatus? failureStatus = null, params IEnumerable<string> tags)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new HealthCheckRegistration(
            "im-outbox", provider => new OutboxHealthCheck(provider.GetRequiredService<OutboxStatus>()), failureStatus, tags));
    }
}
