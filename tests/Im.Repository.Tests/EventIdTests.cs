using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Im.Repository.Tests;

/// <summary>Event ids are a promise to who filters logs: numbered blocks, one for each package, listed in docs/operations.md.</summary>
public sealed partial class EventIdTests
{
    private static readonly (string Assembly, string Name, int Id)[] Ids =
    [
        .. from project in RepositoryFiles.SourceProjects
           let assembly = Assembly.Load(Path.GetFileNameWithoutExtension(project))
           from type in assembly.GetTypes()
           where type.Name == "EventIds"
           from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
           where field.IsLiteral && field.FieldType == typeof(int)
           select (assembly.GetName().Name!, field.Name, (int)field.GetRawConstantValue()!),
    ];

    [Fact]
    public void EventIdsAreUnique()
    {
        Assert.NotEmpty(Ids);
        Assert.Empty(Ids.GroupBy(id => id.Id).Where(group => group.Count() > 1).Select(group => string.Join(" and ", group)));
    }

    [Fact]
    public void PackagesHaveBlocksOfTheirOwn()
    {
        var blocks = Ids.GroupBy(id => id.Assembly)
            .Select(group => (Assembly: group.Key, First: group.Min(id => id.Id), Last: group.Max(id => id.Id)))
            .OrderBy(block => block.First)
            .ToArray();
        for (var i = 1; i < blocks.Length; i++)
        {
            Assert.True(blocks[i - 1].Last < blocks[i].First, $"{blocks[i - 1]} and {blocks[i]} overlap.");
        }
    }

    [Fact]
    public void EveryEventIsListedInOperations()
    {
        var listed = EventRow().Matches(RepositoryFiles.Read("docs/operations.md"))
            .Select(match => (Id: int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), Name: match.Groups[2].Value))
            .ToHashSet();
        var real = Ids.Select(id => (id.Id, id.Name)).ToHashSet();
        Assert.Empty(real.Except(listed));
        Assert.Empty(listed.Except(real));
    }

    [GeneratedRegex(@"^\| (\d{4}) (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex EventRow();
}
