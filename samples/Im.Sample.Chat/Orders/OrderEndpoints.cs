using System.Security.Claims;
using Im.Sample.Chat.Accounts;
using Im.Sample.Chat.Data;
using Im.Sample.Chat.Hosting;

namespace Im.Sample.Chat.Orders;

/// <summary>Something that is the app's business and not chat: a user orders, and the one who is to deliver hears of it.</summary>
internal static class OrderEndpoints
{
    private const int MaxItemLength = 100;

    public static void MapOrders(this IEndpointRouteBuilder app) => app.MapPost("/api/orders", async (
        OrderRequest request, ClaimsPrincipal user, UserTable users, OrderTable orders, CancellationToken cancellationToken) =>
    {
        if (string.IsNullOrWhiteSpace(request.Item) || request.Item.Length > MaxItemLength)
        {
            return Problem.Bad($"Say what you order, in at most {MaxItemLength} characters.");
        }

        if (request.ToUserId is null || users.FindById(request.ToUserId) is null)
        {
            return Problem.Bad("Say who is to deliver: toUserId is a user's id.");
        }

        return Results.Json(await orders.AddAsync(user.UserId(), request.ToUserId, request.Item.Trim(), cancellationToken));
    }).RequireRateLimiting(RateLimits.Order);

    private sealed record OrderRequest(string? ToUserId, string? Item);
}
