namespace Im.Docs.Snippets;

/// <summary>The snippets of docs/admin.md and of Im.Admin's README.</summary>
internal static class AdminSnippets
{
    public static void Map(WebApplication app)
    {
        app.MapImAdmin("/im/admin").RequireAuthorization("operators");
    }
}
