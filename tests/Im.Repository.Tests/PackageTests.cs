using System.IO.Compression;
using System.Xml.Linq;

namespace Im.Repository.Tests;

/// <summary>A fact about the packages that <c>test.sh</c> has packed; without them it is skipped, visibly.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PackagesTheoryAttribute : TheoryAttribute
{
    public PackagesTheoryAttribute()
    {
        if (PackageTests.Folder is null)
        {
            Skip = "IM_PACKAGES names no folder with packages; ./test.sh packs them.";
        }
    }
}

/// <summary>What a host developer finds in a package.</summary>
public sealed class PackageTests
{
    public static string? Folder { get; } = Environment.GetEnvironmentVariable("IM_PACKAGES");

    public static TheoryData<string> Packages { get; } = [.. RepositoryFiles.SourceProjects.Select(path => Path.GetFileNameWithoutExtension(path)!)];

    [PackagesTheory]
    [MemberData(nameof(Packages))]
    public void APackageHasItsReadmeItsDocumentationAndItsSymbols(string name)
    {
        using var package = Open(name, ".nupkg");
        var files = package.Entries.Select(entry => entry.FullName).ToArray();
        Assert.Contains("README.md", files);
        Assert.Contains($"lib/net10.0/{name}.dll", files);
        Assert.Contains($"lib/net10.0/{name}.xml", files);

        using var symbols = Open(name, ".snupkg");
        Assert.Contains($"lib/net10.0/{name}.pdb", symbols.Entries.Select(entry => entry.FullName));
    }

    [PackagesTheory]
    [MemberData(nameof(Packages))]
    public void APackageSaysWhatItIsAndUnderWhichLicense(string name)
    {
        using var package = Open(name, ".nupkg");
        using var stream = package.GetEntry($"{name}.nuspec")!.Open();
        var metadata = XDocument.Load(stream).Root!.Elements().Single();
        string Value(string element) => metadata.Elements().Single(item => item.Name.LocalName == element).Value;

        Assert.Equal(name, Value("id"));
        Assert.Equal("README.md", Value("readme"));
        Assert.Equal("MIT", Value("license"));
        Assert.NotEqual("Package Description", Value("description"));
        Assert.NotEqual("", Value("tags"));
    }

    [PackagesTheory]
    [InlineData("Im.Protocol", "protos/im.proto")]
    public void APackageShipsTheFile(string name, string file)
    {
        using var package = Open(name, ".nupkg");
        Assert.NotNull(package.GetEntry(file));
    }

    private static ZipArchive Open(string name, string extension)
    {
        // Im.Core.0.1.0.nupkg, not Im.Core.Something.0.1.0.nupkg.
        var path = Directory.EnumerateFiles(Folder!, $"{name}.*{extension}")
            .Single(file => Path.GetExtension(file) == extension && char.IsAsciiDigit(Path.GetFileName(file)[name.Length + 1]));
        return ZipFile.OpenRead(path);
    }
}
