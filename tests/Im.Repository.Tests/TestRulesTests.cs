using System.Text.RegularExpressions;

namespace Im.Repository.Tests;

/// <summary>What may not stand in tests.</summary>
public sealed class TestRulesTests
{
    // Clients of a class that was "disposable" this way lived on, and met the servers of other tests on ports that were free again.
    [Fact]
    public void NoTestClassIsEndedByAnInterfaceThatTheRunnerDoesNotKnow()
    {
        var declaration = new Regex(@"\bclass\s+\w*(Tests?|Specification|Rules)\b.*\bIAsyncDisposable\b", RegexOptions.CultureInvariant);
        var found =
            from path in RepositoryFiles.All
            where path.EndsWith(".cs", StringComparison.Ordinal) && !path.StartsWith("benchmarks/", StringComparison.Ordinal)
            from line in RepositoryFiles.ReadLines(path)
            where declaration.IsMatch(line)
            select $"{path}: {line.Trim()}   (use IAsyncLifetime)";
        Assert.Empty(found);
    }
}
