namespace Im.LoadGenerator;

/// <summary>What <c>--help</c> prints.</summary>
internal static class Help
{
    public const string Text = """
        TODO
        """;
}
