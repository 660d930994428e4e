using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Im.IntegrationTests.Support;

namespace Im.IntegrationTests;

/// <summary>Plays the session of docs/protocol.md through real WebSockets: what the page shows is what the server does.</summary>
public sealed partial class DocsExampleTests
{
    private const string Anything = "…";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task TheSessionOfTheProtocolPageGoesAsItIsWritten()
    {
        await using var server = await TestServer.StartAsync();
        var consoles = new Dictionary<string, ClientWebSocket>(StringComparer.Ordinal);
        var captured = new Dictionary<string, string>(StringComparer.Ordinal);
        var expected = new List<(string Client, string Pattern)>();
        var sent = 0;
        try
        {
            foreach (var line in ReadSession().Append(""))
            {
                if (Step().Match(line) is not { Success: true } step)
                {
                    await ExpectAllAsync(consoles, expected, captured);
                    continue;
                }

                var (client, direction, text) = (step.Groups[1].Value, step.Groups[2].Value, step.Groups[3].Value);
                if (direction == "<")
                {
                    expected.Add((client, text));
                    continue;
                }

                await ExpectAllAsync(consoles, expected, captured);
                if (direction == " closes")
                {
                    await consoles[client].CloseAsync(WebSocketCloseStatus.NormalClosure, null, default).WaitAsync(Patience);
                    consoles.Remove(client, out var closed);
                    closed!.Dispose();
                    continue;
                }

                if (!consoles.TryGetValue(client, out var console))
                {
                    consoles.Add(client, console = await ConnectAsync(server));
                }

                var message = Captures().Replace(text, match => captured[match.Value]);
                await console.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, default).WaitAsync(Patience);
                sent++;
            }
        }
        finally
        {
            foreach (var console in consoles.Values)
            {
                console.Dispose();
            }
        }

        Assert.True(sent >= 10, "The page has no session any more.");
    }

    // What one client gets in a row may come in another order.
    private static async Task ExpectAllAsync(
        Dictionary<string, ClientWebSocket> consoles, List<(string Client, string Pattern)> expected, Dictionary<string, string> captured)
    {
        foreach (var ofClient in expected.GroupBy(item => item.Client, StringComparer.Ordinal))
        {
            var patterns = ofClient.Select(item => item.Pattern).ToList();
            while (patterns.Count > 0)
            {
                var text = await ReceiveAsync(consoles[ofClient.Key], patterns[0]);
                var received = JsonNode.Parse(text);
                var index = patterns.FindIndex(pattern => Matches(JsonNode.Parse(pattern), received, captured));
                Assert.True(index >= 0, $"{ofClient.Key} got\n{text}\nand the page says\n{string.Join('\n', patterns)}");
                patterns.RemoveAt(index);
            }
        }

        expected.Clear();
    }

    private static bool Matches(JsonNode? pattern, JsonNode? actual, Dictionary<string, string> captured)
    {
        switch (pattern)
        {
            case JsonValue value when value.GetValueKind() == JsonValueKind.String && value.GetValue<string>() == Anything:
                return actual is not null;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String && Captures().IsMatch(value.GetValue<string>()):
                var name = value.GetValue<string>();
                return actual is JsonValue text
                    && (captured.TryGetValue(name, out var known) ? known == text.GetValue<string>() : captured.TryAdd(name, text.GetValue<string>()));
            case JsonObject fields:
                return actual is JsonObject others && fields.Count == others.Count && fields.All(field => Matches(field.Value, others[field.Key], captured));
            case JsonArray items:
                return actual is JsonArray array && items.Count == array.Count && items.Zip(array).All(pair => Matches(pair.First, pair.Second, captured));
            default:
                return JsonNode.DeepEquals(pattern, actual);
        }
    }

    private static async Task<ClientWebSocket> ConnectAsync(TestServer server)
    {
        var console = new ClientWebSocket();
        console.Options.AddSubProtocol("im.v1.json");
        await console.ConnectAsync(server.WebSocketUri, default).WaitAsync(Patience);
        return console;
    }

    private static async Task<string> ReceiveAsync(ClientWebSocket console, string expected)
    {
        using var message = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            ValueWebSocketReceiveResult part;
            try
            {
                part = await console.ReceiveAsync(buffer.AsMemory(), default).AsTask().WaitAsync(Patience);
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"Nothing came in place of {expected}");
            }

            Assert.NotEqual(WebSocketMessageType.Close, part.MessageType);
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
            {
                return Encoding.UTF8.GetString(message.ToArray());
            }
        }
    }

    private static string[] ReadSession([CallerFilePath] string thisFile = "")
    {
        var page = File.ReadAllText(Path.Combine(FindRoot(thisFile), "docs", "protocol.md"));
        var session = Session().Match(page);
        Assert.True(session.Success, "docs/protocol.md has no ```session block.");
        return session.Groups[1].Value.Split('\n');
    }

    private static string FindRoot(string thisFile)
    {
        foreach (var start in new[] { AppContext.BaseDirectory, Path.GetDirectoryName(thisFile)! })
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Im.Embedded.sln")))
                {
                    return folder.FullName;
                }
            }
        }

        throw new InvalidOperationException("Im.Embedded.sln was not found above the tests.");
    }

    [GeneratedRegex(@"```session\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Session();

    [GeneratedRegex(@"^(\w+)(>|<| closes) ?(.*)$")]
    private static partial Regex Step();

    [GeneratedRegex("‹[^›]+›")]
    private static partial Regex Captures();
}
