using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Im.Client;

namespace Im.Sample.Chat.Tests;

/// <summary>An order and its message.</summary>
public sealed class OrderTests(SharedChatApp shared) : IClassFixture<SharedChatApp>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ChatApp _app = shared.App;

    [Fact(Timeout = 60_000)]
    public async Task AnOrderTellsItsReceiverInTheNameOfWhoOrders()
    {
        using var ada = Http();
        using var ben = Http();
        var adaId = await RegisterAsync(ada, "ada");
        var benId = await RegisterAsync(ben, "ben");
        using var answer = await ben.PostAsJsonAsync("/api/token", new { });
        var token = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetString()!;
        await using var device = new ImClient(new ImClientOptions
        {
            Server = new Uri($"tcp://127.0.0.1:{_app.TcpPort}"),
            DeviceId = "ben",
            TokenProvider = _ => ValueTask.FromResult(token),
        });
        await device.ConnectAsync().WaitAsync(Patience);

        using var placed = await ada.PostAsJsonAsync("/api/orders", new { toUserId = benId, item = " two teas 🍵 " });
        Assert.Equal(HttpStatusCode.OK, placed.StatusCode);
        var order = await placed.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("two teas 🍵", order.GetProperty("item").GetString());

        using var deadline = new CancellationTokenSource(Patience);
        await foreach (var item in device.ReadAsync(deadline.Token))
        {
            if (item is ImEntryEvent { Entry: { Content: { } content } entry })
            {
                Assert.Equal(adaId, entry.SenderId);
                Assert.Equal($"Order {order.GetProperty("id").GetInt64()}: two teas 🍵", content.Text);
                return;
            }
        }

        Assert.Fail("The message did not come.");
    }

    [Fact(Timeout = 60_000)]
    public async Task AnOrderIsForWhoHasSignedInAndForSomebodyWhoExists()
    {
        using var nobody = Http();
        using var refused = await nobody.PostAsJsonAsync("/api/orders", new { toUserId = "x", item = "tea" });
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);

        using var cleo = Http();
        var id = await RegisterAsync(cleo, "cleo");
        foreach (var wrong in new object[]
        {
            new { item = "tea" },
            new { toUserId = "x", item = "tea" },
            new { toUserId = id },
            new { toUserId = id, item = "  " },
            new { toUserId = id, item = new string('x', 101) },
        })
        {
            using var answer = await cleo.PostAsJsonAsync("/api/orders", wrong);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        }
    }

    private HttpClient Http() => new() { BaseAddress = new Uri(_app.Url), Timeout = TimeSpan.FromSeconds(10) };

    private static async Task<string> RegisterAsync(HttpClient client, string name)
    {
        using var answer = await client.PostAsJsonAsync("/api/register", new { name, password = "correct horse battery" });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }
}
