using System.Text.Json.Serialization.Metadata;

namespace Im.Administration.Internal;

/// <summary>One endpoint: how it is called, what is sent and answered, and what it does. The OpenAPI document is made from the same object.</summary>
internal sealed record AdminRoute(string Method, string Pattern, string Summary, Func<AdminCall, Task> Handle)
{
    /// <summary>Parameters of the path and of the query.</summary>
    public IReadOnlyList<AdminParameter> Parameters { get; init; } = [];

    /// <summary>The body; null = none.</summary>
    public JsonTypeInfo? Body { get; init; }

    /// <summary>The answer; null = a file, which is in no document.</summary>
    public JsonTypeInfo? Answer { get; init; }

    public bool ChangesState => Method is not "GET";
}

/// <summary>A parameter of a path or a query.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Text">What it says.</param>
/// <param name="Type">Its JSON schema type.</param>
/// <param name="InPath">Whether it is a part of the path.</param>
/// <param name="Values">The values that it may have; null = any.</param>
internal sealed record AdminParameter(string Name, string Text, string Type = "string", bool InPath = false, string[]? Values = null);
