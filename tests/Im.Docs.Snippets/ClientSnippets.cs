using Im.Client;
using Im.Protocol;

namespace Im.Docs.Snippets;

/// <summary>The C# client as the README and the package's own page show it.</summary>
internal static class ClientSnippets
{
    public static async Task PackageReadmeAsync(string deviceId)
    {
        await using var client = new ImClient(new ImClientOptions
        {
            Server = new Uri("wss://example.org/im"),
            DeviceId = deviceId,                                  // made once per installation, kept
            TokenProvider = ct => GetTokenAsync(ct),              // asked at each connect and before it expires
            CursorStore = new FileCursorStore("im-cursors.json"), // where reading goes on after a restart
        });
        await client.ConnectAsync();
        var reading = ReadAsync();
        var ack = await client.SendTextAsync(ImTarget.User("bob"), "hello");
        Console.WriteLine($"stored as {ack.ConversationSeq} of {ack.ConversationId}");
        await reading;

        async Task ReadAsync()
        {
            await foreach (var item in client.ReadAsync())
            {
                switch (item)
                {
                    case ImResetEvent reset: DropEverythingAndStartFrom(reset.Conversations); break;
                    case ImEntryEvent entry: Store(entry.Entry); break;
                    case ImSignalEvent signal: Show(signal.Signal); break;
                }
            }   // moving to the next event says that this one is stored: only now its cursor moves
        }
    }

    public static async Task ReadmeAsync()
    {
        await using var client = new ImClient(new ImClientOptions
        {
            Server = new Uri("ws://localhost:5000/im"),               // or tcp://localhost:9000
            DeviceId = "console",
            TokenProvider = _ => ValueTask.FromResult("alice"),
        });
        await client.ConnectAsync();
        var ack = await client.SendTextAsync(ImTarget.User("bob"), "Hello Bob");
        Console.WriteLine($"Stored at {ack.ConversationSeq} of {ack.ConversationId}.");
        await foreach (var item in client.ReadAsync())                // until the client is closed
        {
            if (item is ImEntryEvent { Entry: { Content: not null } entry })
            {
                Console.WriteLine($"{entry.SenderId}: {entry.Content.Text}");
            }
        }
    }

    private static ValueTask<string> GetTokenAsync(CancellationToken cancellationToken) => ValueTask.FromResult("alice");

    private static void DropEverythingAndStartFrom(IReadOnlyList<ConversationState> conversations)
    {
    }

    private static void Store(Entry entry)
    {
    }

    private static void Show(Signal signal)
    {
    }
}
