using System.Text.Json;
using System.Text.Json.Nodes;
using Im.Cluster;

namespace Im.Administration.Internal;

/// <summary>The OpenAPI document, made from the calls and from the types that they serialize, so that it cannot say anything else.</summary>
internal static class OpenApiDocument
{
    public static byte[] Create()
    {
        var schemas = new OpenApiSchemas();
        var paths = new JsonObject();
        foreach (var group in AdminRoutes.All.GroupBy(route => route.Pattern))
        {
            var path = new JsonObject();
            foreach (var route in group)
            {
                path[route.Method.ToLowerInvariant()] = Describe(route, schemas);
            }

            paths[group.Key] = path;
        }

        schemas.Add(AdminHttpJson.Default.AdminProblem, isAnswer: true);
        var document = new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Im.Embedded admin API",
                ["version"] = ClusterState.PackageVersion.Split('+')[0],
                ["description"] = "All times are unix milliseconds UTC. Errors are problem documents whose title is the error's name. The host's own authorization policy decides who may call.",
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "." }),
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas.ToJson() },
        };
        return System.Text.Encoding.UTF8.GetBytes(document.ToJsonString());
    }

    private static JsonObject Describe(AdminRoute route, OpenApiSchemas schemas)
    {
        var operation = new JsonObject
        {
            ["operationId"] = NameOf(route),
            ["summary"] = route.Summary,
            ["parameters"] = new JsonArray([.. route.Parameters.Select(Describe)]),
        };
        if (route.Body is { } body)
        {
            operation["requestBody"] = new JsonObject { ["content"] = ContentOf("application/json", schemas.Add(body, isAnswer: false)) };
        }

        operation["responses"] = new JsonObject
        {
            ["200"] = new JsonObject { ["description"] = "Done.", ["content"] = ContentOf("application/json", schemas.Add(route.Answer!, isAnswer: true)) },
            ["default"] = new JsonObject
            {
                ["description"] = "What is wrong, and what to do.",
                ["content"] = ContentOf("application/problem+json", schemas.Add(AdminHttpJson.Default.AdminProblem, isAnswer: true)),
            },
        };
        return operation;
    }

    private static JsonObject Describe(AdminParameter parameter)
    {
        var schema = new JsonObject { ["type"] = parameter.Type };
        if (parameter.Values is { } values)
        {
            schema["enum"] = new JsonArray([.. values.Select(value => JsonValue.Create(value))]);
        }

        return new JsonObject
        {
            ["name"] = parameter.Name,
            ["in"] = parameter.InPath ? "path" : "query",
            ["required"] = parameter.InPath,
            ["description"] = parameter.Text,
            ["schema"] = schema,
        };
    }

    private static JsonObject ContentOf(string type, JsonNode schema) => new() { [type] = new JsonObject { ["schema"] = schema } };

    // For example getUsersIdSessions.
    private static string NameOf(AdminRoute route) => route.Method.ToLowerInvariant()
        + string.Concat(route.Pattern.Split('/', '{', '}').Where(part => part.Length > 0).Select(part => char.ToUpperInvariant(part[0]) + part[1..]));
}
