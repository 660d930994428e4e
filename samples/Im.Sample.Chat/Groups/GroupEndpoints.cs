using System.Security.Claims;
using Im.Model;
using Im.Sample.Chat.Accounts;
using Im.Sample.Chat.Data;
using Im.Sample.Chat.Hosting;

namespace Im.Sample.Chat.Groups;

/// <summary>The page's groups.</summary>
internal static class GroupEndpoints
{
    public static void MapGroups(this IEndpointRouteBuilder app)
    {
        var api = app.MapGroup("/api/groups");
        api.MapGet("", (ClaimsPrincipal user, GroupTable groups) => Results.Json(groups.OfUser(user.UserId()).Select(View)));
        api.MapPost("", async (NewGroupRequest request, ClaimsPrincipal user, GroupService groups, CancellationToken cancellationToken) =>
            Answer(await groups.CreateAsync(user.UserId(), request.Name, request.MemberIds, cancellationToken)));
        api.MapPost("/{id}/members", async (
            string id, MembersRequest request, ClaimsPrincipal user, GroupService groups, CancellationToken cancellationToken) =>
            Answer(await groups.AddAsync(user.UserId(), id, request.UserIds, cancellationToken)));
        api.MapDelete("/{id}/members/{userId}", async (
            string id, string userId, ClaimsPrincipal user, GroupService groups, CancellationToken cancellationToken) =>
            Answer(await groups.RemoveAsync(user.UserId(), id, userId, cancellationToken)));
    }

    private static IResult Answer(GroupResult result) => result switch
    {
        { Status: not StatusCodes.Status200OK } => Problem.Of(result.Status, result.Error),
        { Group: { } group } => Results.Json(View(group)),
        _ => Results.Json<GroupView?>(null),
    };

    private static GroupView View(ChatGroup group) => new(group.Id, ConversationId.Group(group.Id), group.Name, group.OwnerId, group.MemberIds);

    private sealed record NewGroupRequest(string? Name, string[]? MemberIds);

    private sealed record MembersRequest(string[]? UserIds);

    private sealed record GroupView(string Id, string ConversationId, string Name, string OwnerId, IReadOnlyList<string> MemberIds);
}
