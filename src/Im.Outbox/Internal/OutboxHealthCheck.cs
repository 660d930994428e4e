using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Im.Outbox.Internal;

/// <summary>Says whether the relay can use the host's database.</summary>
internal sealed class OutboxHealthCheck(OutboxStatus status) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(status.Failure is { } failure
            ? new HealthCheckResult(
                context.Registration.FailureStatus,
                "The outbox cannot use the host's database; messages wait in its table, or cannot be enqueued.",
                failure)
            : HealthCheckResult.Healthy());
}
