using System.Threading.RateLimiting;
using Im.Sample.Chat.Hosting;
using Microsoft.Extensions.Options;

namespace Im.Sample.Chat.Accounts;

/// <summary>How often one address may try to sign in or register.</summary>
internal static class RateLimits
{
    public const string SignIn = "sign-in";

    public static IServiceCollection AddSignInRateLimit(this IServiceCollection services) => services.AddRateLimiter(o =>
    {
        o.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        o.OnRejected = async (context, cancellationToken) => await context.HttpContext.Response.WriteAsJsonAsync(
            new Problem("Too many attempts; wait a minute and try again."), cancellationToken);
        o.AddPolicy(SignIn, context => RateLimitPartition.GetFixedWindowLimiter(
            context.Connection.RemoteIpAddress?.ToString() ?? "",
            _ => new FixedWindowRateLimiterOptions
            {
                PermitLimit = context.RequestServices.GetRequiredService<IOptions<ChatOptions>>().Value.MaxSignInsPerMinute,
                Window = TimeSpan.FromMinutes(1),
            }));
    });
}
