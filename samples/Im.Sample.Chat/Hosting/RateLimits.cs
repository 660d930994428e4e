using System.Threading.RateLimiting;
using Im.Sample.Chat.Accounts;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;

namespace Im.Sample.Chat.Hosting;

/// <summary>How often one address may try to sign in or register, and one user may upload or order.</summary>
internal static class RateLimits
{
    public const string SignIn = "sign-in";

    public const string Upload = "upload";

    public const string Order = "order";

    public static IServiceCollection AddChatRateLimits(this IServiceCollection services) => services.AddRateLimiter(o =>
    {
        o.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
        o.OnRejected = async (context, cancellationToken) => await context.HttpContext.Response.WriteAsJsonAsync(
            new Problem(Explain(context.HttpContext)), cancellationToken);
        o.AddPolicy(SignIn, context => OneMinute(context.Connection.RemoteIpAddress?.ToString() ?? "", Options(context).MaxSignInsPerMinute));
        o.AddPolicy(Upload, context => context.User.Identity?.IsAuthenticated == true
            ? OneMinute(context.User.UserId(), Options(context).MaxPicturesPerMinute)
            : RateLimitPartition.GetNoLimiter("")); // is refused anyway
        o.AddPolicy(Order, context => context.User.Identity?.IsAuthenticated == true
            ? OneMinute(context.User.UserId(), Options(context).MaxOrdersPerMinute)
            : RateLimitPartition.GetNoLimiter(""));
    });

    private static RateLimitPartition<string> OneMinute(string key, int permits) => RateLimitPartition.GetFixedWindowLimiter(
        key, _ => new FixedWindowRateLimiterOptions { PermitLimit = permits, Window = TimeSpan.FromMinutes(1) });

    private static ChatOptions Options(HttpContext context) => context.RequestServices.GetRequiredService<IOptions<ChatOptions>>().Value;

    private static string Explain(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<EnableRateLimitingAttribute>()?.PolicyName switch
        {
            Upload => "Too many pictures; wait a minute and try again.",
            Order => "Too many orders; wait a minute and try again.",
            _ => "Too many attempts; wait a minute and try again.",
        };
}
