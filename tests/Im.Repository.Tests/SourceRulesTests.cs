using System.Text.RegularExpressions;

namespace Im.Repository.Tests;

/// <summary>What may not stand in src. The rules have no exceptions on purpose: split the file, inject the clock, open an issue.</summary>
public sealed class SourceRulesTests
{
    private const int MaxLines = 400;

    public static TheoryData<string, string> BannedText { get; } = new()
    {
        { @"\bDateTime(Offset)?\s*\.\s*(Utc)?Now\b", "use the TimeProvider from the services" },
        { @"\bDateTime\s*\.\s*Today\b", "use the TimeProvider from the services" },
        { @"\bThread\s*\.\s*Sleep\b", "await something, with a TimeProvider" },
        { @"\.GetAwaiter\(\)\s*\.\s*GetResult\(\)", "await it" },
        { @"\.Wait\(\)", "await it" },
        { @"\basync\s+void\b", "return a Task, and let somebody await it" },
        { @"\b(TODO|FIXME|HACK)\b", "do it, or write it into docs/roadmap.md" },
        { @"\bConsole\s*\.\s*(Error\s*\.\s*|Out\s*\.\s*)?Write", "use the logger" },
    };

    [Fact]
    public void NoSourceFileIsLongerThan400Lines()
    {
        var tooLong = RepositoryFiles.InSource(".cs")
            .Select(path => (Path: path, Lines: RepositoryFiles.ReadLines(path).Length))
            .Where(file => file.Lines > MaxLines)
            .Select(file => $"{file.Path}: {file.Lines} lines");
        Assert.Empty(tooLong);
    }

    [Theory]
    [MemberData(nameof(BannedText))]
    public void SourceDoesNotContain(string pattern, string instead)
    {
        var regex = new Regex(pattern, RegexOptions.CultureInvariant);
        var found =
            from path in RepositoryFiles.InSource(".cs")
            from line in RepositoryFiles.ReadLines(path).Select((text, index) => (Text: text, Number: index + 1))
            where regex.IsMatch(line.Text)
            select $"{path}:{line.Number}: {line.Text.Trim()}   ({instead})";
        Assert.Empty(found);
    }
}
