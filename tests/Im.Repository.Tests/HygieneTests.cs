using System.Text;
using System.Text.RegularExpressions;

namespace Im.Repository.Tests;

/// <summary>Nothing of the machine on which a file was written stays in it.</summary>
public sealed partial class HygieneTests
{
    private static readonly HashSet<string> Binary = new(StringComparer.OrdinalIgnoreCase)
    {
        ".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".pfx", ".woff", ".woff2", ".mp3", ".nupkg", ".snupkg",
    };

    private static IEnumerable<string> TextFiles => RepositoryFiles.All.Where(path => !Binary.Contains(Path.GetExtension(path)));

    [Fact]
    public void NoFileNamesAPathOfOneMachineOrAPackageRegistry()
    {
        var found =
            from path in TextFiles
            from line in RepositoryFiles.ReadLines(path).Select((text, index) => (Text: text, Number: index + 1))
            let match = MachineOrRegistry().Match(line.Text)
            where match.Success
            select $"{path}:{line.Number}: {match.Value}";
        Assert.Empty(found);
    }

    [Fact]
    public void TextIsUtf8WithUnixLineEnds()
    {
        var strict = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        var wrong = TextFiles.Where(path =>
        {
            var bytes = File.ReadAllBytes(Path.Combine(RepositoryFiles.Root, path));
            try
            {
                strict.GetCharCount(bytes);
            }
            catch (DecoderFallbackException)
            {
                return true;
            }

            // Visual Studio writes solutions in its own way.
            return bytes.Contains((byte)'\r') && !path.EndsWith(".sln", StringComparison.Ordinal);
        });
        Assert.Empty(wrong);
    }

    // Each pattern has a class of one character, so that this file is no finding.
    [GeneratedRegex(@"/wor[k]/|/roo[t]/|/tm[p]/|/hom[e]/\w|C:\\User[s]\\|api\.nuge[t]\.org|registry\.npmj[s]\.org|registry\.yarnpk[g]\.com|pypi\.or[g]|proxy\.golan[g]\.org")]
    private static partial Regex MachineOrRegistry();
}
