using System.Runtime.CompilerServices;

namespace Im.Repository.Tests;

/// <summary>The files of the repository, without what builds and tools leave behind.</summary>
internal static class RepositoryFiles
{
    private static readonly HashSet<string> Ignored = new(StringComparer.OrdinalIgnoreCase)
    {
        ".git", ".vs", ".idea", "bin", "obj", "artifacts", "node_modules", "TestResults", "BenchmarkDotNet.Artifacts", "App_Data",
    };

    public static string Root { get; } = FindRoot();

    /// <summary>Paths relative to the root, with forward slashes.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Walk(Root).Select(ToRelative).Order(StringComparer.Ordinal)];

    public static IEnumerable<string> InSource(string extension) =>
        All.Where(path => path.StartsWith("src/", StringComparison.Ordinal) && path.EndsWith(extension, StringComparison.Ordinal));

    public static IReadOnlyList<string> SourceProjects { get; } = [.. InSource(".csproj")];

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static string[] ReadLines(string path) => File.ReadAllLines(Path.Combine(Root, path));

    public static bool Exists(string path) => Path.Exists(Path.Combine(Root, path));

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
        {
            // A worktree has a file of this name in place of the folder.
            if (Path.GetFileName(file) != ".git")
            {
                yield return file;
            }
        }

        foreach (var file in Directory.EnumerateDirectories(folder).Where(sub => !Ignored.Contains(Path.GetFileName(sub))).SelectMany(Walk))
        {
            yield return file;
        }
    }

    private static string ToRelative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static string FindRoot([CallerFilePath] string thisFile = "")
    {
        foreach (var start in new[] { AppContext.BaseDirectory, Path.GetDirectoryName(thisFile)! })
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Im.Embedded.sln")))
                {
                    return folder.FullName;
                }
            }
        }

        throw new InvalidOperationException("Im.Embedded.sln was not found above the tests.");
    }
}
