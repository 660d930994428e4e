namespace Im.Docs.Snippets;

/// <summary>The snippets of docs/operations.md.</summary>
internal static class OperationsSnippets
{
    public static void Health(WebApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks().AddImServer();
        var app = builder.Build();
        app.MapHealthChecks("/health");
    }

    public static void Retention(WebApplicationBuilder builder)
    {
        builder.Services.AddImServer()
            .UseRetention(o =>
            {
                o.KeepMessagesFor = TimeSpan.FromDays(365);
                o.KeepInboxesFor = TimeSpan.FromDays(60);
            });
    }
}
