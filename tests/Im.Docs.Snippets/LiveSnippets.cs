using Im.Presence;
using Im.Rooms;

namespace Im.Docs.Snippets;

/// <summary>Rooms, presence and the admin page in a host.</summary>
internal static class LiveSnippets
{
    public static void Add(WebApplicationBuilder builder)
    {
        builder.Services.AddImServer()
            .AddRoomPolicy<MyRoomPolicy>()                   // who may use which room; without one rooms are closed to clients
            .AddPresenceListener<MyPresenceListener>();      // tells your code who comes and goes
        builder.Services.AddAuthorizationBuilder().AddPolicy("operators", policy => policy.RequireRole("operator"));
        var app = builder.Build();
        app.MapImAdmin("/im/admin").RequireAuthorization("operators");
    }

    private sealed class MyRoomPolicy : IRoomPolicy
    {
        public ValueTask<bool> CanSubscribeAsync(RoomAccess access, CancellationToken cancellationToken) => ValueTask.FromResult(true);

        public ValueTask<bool> CanSendAsync(RoomAccess access, CancellationToken cancellationToken) => ValueTask.FromResult(false);
    }

    private sealed class MyPresenceListener : IPresenceListener
    {
        public ValueTask ChangedAsync(IReadOnlyList<PresenceEvent> events, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
