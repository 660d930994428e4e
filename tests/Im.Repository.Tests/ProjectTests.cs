using System.Xml.Linq;

namespace Im.Repository.Tests;

/// <summary>What every project has.</summary>
public sealed class ProjectTests
{
    public static TheoryData<string> SourceProjects { get; } = [.. RepositoryFiles.SourceProjects];

    [Theory]
    [MemberData(nameof(SourceProjects))]
    public void ASourceProjectHasADescriptionAndAReadmeOfItsOwn(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        var description = XDocument.Parse(RepositoryFiles.Read(project)).Descendants("Description").SingleOrDefault()?.Value;
        Assert.False(string.IsNullOrWhiteSpace(description), $"{project} has no <Description>.");
        Assert.StartsWith($"# {name}\n", RepositoryFiles.Read($"src/{name}/README.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void EveryProjectIsInTheSolution()
    {
        var solution = RepositoryFiles.Read("Im.Embedded.sln").Replace('\\', '/');
        var missing = RepositoryFiles.All.Where(path => path.EndsWith(".csproj", StringComparison.Ordinal) && !solution.Contains($"\"{path}\"", StringComparison.Ordinal));
        Assert.Empty(missing);
    }

    [Fact]
    public void VersionsOfPackagesStandInOnePlace()
    {
        var elsewhere =
            from path in RepositoryFiles.All
            where path.EndsWith(".csproj", StringComparison.Ordinal)
            from reference in XDocument.Parse(RepositoryFiles.Read(path)).Descendants("PackageReference")
            where reference.Attribute("Version") is not null || reference.Attribute("VersionOverride") is not null
            select $"{path}: {reference}";
        Assert.Empty(elsewhere);
    }
}
