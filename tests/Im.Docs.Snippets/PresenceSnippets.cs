using Im.Client;
using Im.Presence;

namespace Im.Docs.Snippets;

/// <summary>Presence in a host and in a client.</summary>
internal static class PresenceSnippets
{
    public static void Add(WebApplicationBuilder builder)
    {
        builder.Services.AddImServer()
            .AddPresenceListener<MyPresenceListener>()   // told who comes and goes
            .AddPresencePolicy<MyPresencePolicy>()       // who may see whom, in place of the default
            .UsePresence(o => o.OfflineGrace = TimeSpan.FromSeconds(10));
    }

    public static async Task WatchAsync(ImClient client)
    {
        var states = await client.SubscribePresenceAsync(["bob", "carol"]);     // as they are now; changes: ImPresenceEvent
        var members = await client.SubscribeConversationPresenceAsync("g:team");
        await client.SendSignalAsync(ImTarget.User("bob"), "typing");           // arrives as ImSignalEvent
    }

    private sealed class MyPresenceListener : IPresenceListener
    {
        public ValueTask ChangedAsync(IReadOnlyList<PresenceEvent> events, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }

    private sealed class MyPresencePolicy : IPresencePolicy
    {
        public ValueTask<IReadOnlyCollection<string>> FindVisibleAsync(
            string userId, IReadOnlyList<string> targetIds, string? conversationId, CancellationToken cancellationToken) => ValueTask.FromResult<IReadOnlyCollection<string>>([]);
    }
}
