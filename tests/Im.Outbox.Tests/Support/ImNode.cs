using Im.Conversations;
using Im.Model;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Im.Outbox.Tests.Support;

/// <summary>An IM server in memory that outlives the relays of a test, as a store would.</summary>
internal sealed class ImNode : IAsyncDisposable
{
    private readonly IHost _host;

    private ImNode(IHost host)
    {
        _host = host;
        Server = host.Services.GetRequiredService<IImServer>();
    }

    public IImServer Server { get; }

    public static async Task<ImNode> StartAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Logging.ClearProviders();
        builder.Services.AddImServer().AddUserProvider<AnyUsers>();
        var host = builder.Build();
        await host.StartAsync().Soon();
        return new ImNode(host);
    }

    /// <summary>The texts of a conversation, in its order.</summary>
    public async Task<List<string>> TextsAsync(string userId, string conversationId)
    {
        var entries = new List<ImEntry>();
        while (true)
        {
            IReadOnlyList<ImEntry> page;
            try
            {
                page = await Server.Conversations.ReadHistoryAsync(
                    userId, conversationId, entries.Count == 0 ? null : entries[0].Seq, 1000).Soon();
            }
            catch (ImException)
            {
                // Nobody has said anything yet.
                return [];
            }

            if (page.Count == 0)
            {
                return [.. entries.Where(entry => entry.Content is not null).Select(entry => entry.Content!.Text)];
            }

            entries.InsertRange(0, page);
        }
    }

    /// <summary>What <c>$orders</c> told a user.</summary>
    public Task<List<string>> TextsAsync(string userId) => TextsAsync(userId, ConversationId.Direct("$orders", userId));

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync().Soon();
        _host.Dispose();
    }
}
