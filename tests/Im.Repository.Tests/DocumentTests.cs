using System.Text.RegularExpressions;

namespace Im.Repository.Tests;

/// <summary>What the documents say stays true: code in them is compiled code, links lead somewhere.</summary>
public sealed partial class DocumentTests
{
    public static TheoryData<string> Documents { get; } = [.. RepositoryFiles.All.Where(path => path.EndsWith(".md", StringComparison.Ordinal))];

    // All of it is built with the solution.
    private static readonly string[][] CompiledFiles =
    [
        .. RepositoryFiles.All
            .Where(path => path.EndsWith(".cs", StringComparison.Ordinal)
                && (path.StartsWith("tests/Im.Docs.Snippets/", StringComparison.Ordinal) || path.StartsWith("samples/", StringComparison.Ordinal)))
            .Select(path => Lines(RepositoryFiles.Read(path))),
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void EveryCSharpSnippetIsPartOfACompiledFile(string document)
    {
        var notCompiled = CSharpFence().Matches(RepositoryFiles.Read(document))
            .Select(match => match.Groups[1].Value)
            .Where(snippet => !CompiledFiles.Any(file => Contains(file, Lines(snippet))));
        Assert.True(!notCompiled.Any(), $"Put this snippet of {document}, line for line, into a file of tests/Im.Docs.Snippets:\n{string.Join("\n---\n", notCompiled)}");
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void EveryRelativeLinkLeadsSomewhere(string document)
    {
        var text = CodeFence().Replace(RepositoryFiles.Read(document), "");
        var broken =
            from match in Link().Matches(text)
            let target = match.Groups[1].Value
            where !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith("mailto:", StringComparison.Ordinal)
            where !Resolves(document, target)
            select target;
        Assert.Empty(broken);
    }

    private static bool Resolves(string document, string target)
    {
        var parts = target.Split('#', 2);
        var path = parts[0].Length == 0
            ? document
            : Path.GetRelativePath(RepositoryFiles.Root, Path.Combine(RepositoryFiles.Root, Path.GetDirectoryName(document)!, parts[0])).Replace('\\', '/');
        return RepositoryFiles.Exists(path)
            && (parts.Length == 1 || Heading().Matches(RepositoryFiles.Read(path)).Any(heading => Anchor(heading.Groups[1].Value) == parts[1]));
    }

    // As GitHub makes them.
    private static string Anchor(string heading) => NotInAnchor().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');

    private static string[] Lines(string text) =>
        [.. text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];

    // A snippet's usings stand at the head of the file, the rest is one piece of it.
    private static bool Contains(string[] file, string[] lines)
    {
        if (lines.Where(IsUsing).Any(line => !file.Contains(line)))
        {
            return false;
        }

        string[] snippet = [.. lines.Where(line => !IsUsing(line))];
        for (var start = 0; start + snippet.Length <= file.Length; start++)
        {
            if (file.AsSpan(start, snippet.Length).SequenceEqual(snippet))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsUsing(string line) => UsingDirective().IsMatch(line);

    [GeneratedRegex(@"^using [\w.]+;$")]
    private static partial Regex UsingDirective();

    [GeneratedRegex(@"^\s*```(?:csharp|cs|c#)\s*\n(.*?)^\s*```", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex CSharpFence();

    [GeneratedRegex(@"^\s*```.*?^\s*```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeFence();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
