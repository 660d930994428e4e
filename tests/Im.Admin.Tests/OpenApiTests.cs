using System.Text.Json.Nodes;
using Im.Admin.Tests.Support;

namespace Im.Admin.Tests;

/// <summary>The document says what is there.</summary>
public sealed class OpenApiTests(TwoNodes nodes) : IClassFixture<TwoNodes>
{
    [Fact]
    public async Task ItsPathsAreTheEndpoints()
    {
        var document = await nodes.GetAsync("openapi.json");
        var described = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(one => $"{one.Key.ToUpperInvariant()} {path.Key}"));
        string[] files = ["GET /", "GET /admin.js", "GET /admin.css", "GET /openapi.json"];
        var real = AccessTests.EndpointsOf(nodes.North).Select(one => $"{one.Method} {one.Path["/im/admin".Length..]}").Except(files);
        Assert.Equal(real.Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("nodes", "/nodes")]
    [InlineData("status", "/status")]
    [InlineData("connections?user=opal", "/connections")]
    [InlineData("users/online", "/users/online")]
    [InlineData("users/opal", "/users/{id}")]
    [InlineData("trace?userId=opal&senderId=otto&clientMessageId=traced", "/trace")]
    public async Task AnAnswerIsWhatItsSchemaSays(string path, string pattern)
    {
        await using var device = await nodes.South.ConnectAsync("opal");
        await nodes.CallAsync(HttpMethod.Post, "messages", new { messages = new[] { new { senderId = "otto", toUserId = "opal", content = new { text = "x" }, clientMessageId = "traced" } } });
        var document = await nodes.GetAsync("openapi.json");
        var schema = document["paths"]![pattern]!["get"]!["responses"]!["200"]!["content"]!["application/json"]!["schema"]!;
        Check(await nodes.GetAsync(path), schema, document, "$");
    }

    // Types, required properties, no property that is not described.
    private static void Check(JsonNode? value, JsonNode schema, JsonNode document, string at)
    {
        if ((string?)schema["$ref"] is { } reference)
        {
            Check(value, document["components"]!["schemas"]![reference.Split('/')[^1]]!, document, at);
        }
        else if (schema["anyOf"] is { } choices)
        {
            if (value is not null)
            {
                Check(value, choices[0]!, document, at);
            }
        }
        else
        {
            CheckSimple(value, schema, document, at);
        }
    }

    private static void CheckSimple(JsonNode? value, JsonNode schema, JsonNode document, string at)
    {
        string[] types = schema["type"] is JsonArray several ? [.. several.Select(type => (string)type!)] : [(string)schema["type"]!];
        var type = value switch
        {
            null => "null",
            JsonObject => "object",
            JsonArray => "array",
            _ => value.GetValueKind() switch
            {
                System.Text.Json.JsonValueKind.String => "string",
                System.Text.Json.JsonValueKind.Number => types.Contains("number") ? "number" : "integer",
                _ => "boolean",
            },
        };
        Assert.True(types.Contains(type), $"{at} is {type}, the schema says {string.Join(" or ", types)}.");
        if (value is JsonArray array)
        {
            for (var i = 0; i < array.Count; i++)
            {
                Check(array[i], schema["items"]!, document, $"{at}[{i}]");
            }
        }
        else if (value is JsonObject item)
        {
            var properties = schema["properties"]!.AsObject();
            Assert.Equal(properties.Select(pair => pair.Key).Order(StringComparer.Ordinal), item.Select(pair => pair.Key).Order(StringComparer.Ordinal));
            foreach (var (name, part) in item)
            {
                Check(part, properties[name]!, document, $"{at}.{name}");
            }
        }
        else if (schema["enum"] is JsonArray names && value is not null)
        {
            Assert.Contains((string?)value, names.Select(name => (string?)name));
        }
    }
}
