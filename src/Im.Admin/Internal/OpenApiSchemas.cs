using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Im.Administration.Internal;

/// <summary>JSON schemas of the types that the calls serialize.</summary>
internal sealed class OpenApiSchemas
{
    private readonly SortedDictionary<string, JsonObject> _schemas = new(StringComparer.Ordinal);

    /// <summary>A reference to the type's schema, which is made where it is new.</summary>
    /// <param name="type">The type as it is serialized.</param>
    /// <param name="isAnswer">An answer always has all its properties; what is sent only must have those that are required.</param>
    public JsonObject Add(JsonTypeInfo type, bool isAnswer)
    {
        var name = type.Type.Name;
        if (_schemas.TryAdd(name, new JsonObject { ["type"] = "object" }))
        {
            var properties = new JsonObject();
            var required = new JsonArray();
            foreach (var property in type.Properties.Where(property => property.Get is not null))
            {
                properties[property.Name] = SchemaOf(property.PropertyType, property.IsGetNullable, type, isAnswer);
                if (isAnswer || property.IsRequired)
                {
                    required.Add((JsonNode)JsonValue.Create(property.Name)!);
                }
            }

            _schemas[name]["properties"] = properties;
            _schemas[name]["required"] = required;
        }

        return new JsonObject { ["$ref"] = "#/components/schemas/" + name };
    }

    public JsonObject ToJson() => new([.. _schemas.Select(pair => KeyValuePair.Create<string, JsonNode?>(pair.Key, pair.Value))]);

    private JsonObject SchemaOf(Type type, bool isNullable, JsonTypeInfo owner, bool isAnswer)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return SchemaOf(underlying, true, owner, isAnswer);
        }

        if (NameOf(type) is { } simple)
        {
            var schema = new JsonObject { ["type"] = isNullable ? new JsonArray(JsonValue.Create(simple), JsonValue.Create("null")) : JsonValue.Create(simple) };
            AddDetails(schema, type, isNullable);
            return schema;
        }

        if (ElementOf(type) is { } element)
        {
            return new JsonObject
            {
                ["type"] = isNullable ? new JsonArray(JsonValue.Create("array"), JsonValue.Create("null")) : JsonValue.Create("array"),
                ["items"] = SchemaOf(element, false, owner, isAnswer),
            };
        }

        var reference = Add(owner.Options.GetTypeInfo(type), isAnswer);
        return isNullable ? new JsonObject { ["anyOf"] = new JsonArray(reference, new JsonObject { ["type"] = "null" }) } : reference;
    }

    private static string? NameOf(Type type) =>
        type == typeof(string) || type == typeof(byte[]) || type.IsEnum ? "string"
        : type == typeof(bool) ? "boolean"
        : type == typeof(int) || type == typeof(long) ? "integer"
        : type == typeof(double) ? "number"
        : null;

    private static Type? ElementOf(Type type) =>
        type.IsArray ? type.GetElementType() : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    private static void AddDetails(JsonObject schema, Type type, bool isNullable)
    {
        if (type == typeof(long))
        {
            schema["format"] = "int64";
        }
        else if (type == typeof(byte[]))
        {
            schema["contentEncoding"] = "base64";
        }
        else if (type.IsEnum)
        {
            var names = Enum.GetNames(type).Select(name => (JsonNode?)JsonValue.Create(JsonNamingPolicy.CamelCase.ConvertName(name)));
            schema["enum"] = new JsonArray([.. isNullable ? names.Append(null) : names]);
        }
    }
}
