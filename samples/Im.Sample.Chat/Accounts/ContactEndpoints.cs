using Im.Sample.Chat.Data;

namespace Im.Sample.Chat.Accounts;

/// <summary>Everybody who has registered, and who of them is online. A real app would show a user's own contacts.</summary>
internal static class ContactEndpoints
{
    public static void MapContacts(this IEndpointRouteBuilder app) => app.MapGet("/api/contacts", async (
        UserTable users, IImServer im, CancellationToken cancellationToken) =>
    {
        var all = users.All();
        var online = await im.Sessions.GetOnlineAsync([.. all.Select(u => u.Id)], cancellationToken);
        return Results.Json(all.Select(u => new { u.Id, u.Name, u.DisplayName, Online = online.Contains(u.Id) }));
    });
}
