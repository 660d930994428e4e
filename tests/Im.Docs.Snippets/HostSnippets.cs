using Im;
using Im.Groups;
using Im.Messaging;
using Im.Model;

namespace Im.Docs.Snippets;

/// <summary>What a host does with the server inside its own process.</summary>
internal static class HostSnippets
{
    public static async Task UseServerAsync(IServiceProvider services)
    {
        var im = services.GetRequiredService<IImServer>();
        await im.Groups.CreateAsync(new NewGroup { GroupId = "team", Info = new GroupInfo("Team"), MemberIds = ["alice", "bob"], ActorId = "alice" });
        await im.Messages.SendAsync(new OutgoingMessage
        {
            SenderId = "$orders",                          // a system sender; a user's id sends as that user
            ToUserId = "bob",                              // or ConversationId = "g:team"
            Content = MessageContent.FromText("Your order was sent."),
            ClientMessageId = "order-4711-sent",           // sending it again stores it once
        });
        var conversations = await im.Conversations.ListAsync("bob");        // with exact unread counts
        var online = await im.Sessions.GetOnlineAsync(["alice", "bob"]);
    }

    public static void Intercept(IServiceCollection services)
    {
        services.AddImServer()
            .AddUserProvider<DemoUsers>()
            .AddMessageInterceptor<NoShouting>()     // before and after the commit
            .AddOfflineNotifier<VendorPush>();       // who got a message and is not connected
    }

    private sealed class NoShouting : IMessageInterceptor
    {
        public ValueTask<InterceptionResult> BeforeStoreAsync(InterceptedMessage message, CancellationToken cancellationToken) =>
            ValueTask.FromResult(message.Content.Text.EndsWith("!!!", StringComparison.Ordinal)
                ? InterceptionResult.Reject("Do not shout.")
                : InterceptionResult.Continue);
    }

    private sealed class VendorPush : IOfflineNotifier
    {
        public ValueTask NotifyAsync(IReadOnlyList<OfflineNotice> notices, CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
