using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Im.Repository.Tests;

/// <summary>The defaults that are written down, in <c>&lt;value&gt;</c> and in docs/operations.md, are the real ones.</summary>
public sealed partial class OptionDefaultsTests
{
    private static readonly string Operations = RepositoryFiles.Read("docs/operations.md");

    public static TheoryData<string> OptionTypes { get; } =
    [
        .. from project in RepositoryFiles.SourceProjects
           from type in Assembly.Load(Path.GetFileNameWithoutExtension(project)).GetExportedTypes()
           where type.Name.EndsWith("Options", StringComparison.Ordinal)
           select type.AssemblyQualifiedName!,
    ];

    [Theory]
    [MemberData(nameof(OptionTypes))]
    public void TheDocumentedValueIsTheDefault(string typeName)
    {
        var (type, options) = Create(typeName);
        var documentation = XDocument.Load(Path.Combine(AppContext.BaseDirectory, type.Assembly.GetName().Name + ".xml"));
        foreach (var property in Settings(type))
        {
            var name = $"P:{type.FullName}.{property.Name}";
            var value = documentation.Descendants("member").Single(member => (string?)member.Attribute("name") == name).Element("value");
            Assert.True(value is not null, $"{name} has no <value> with its default.");
            Assert.True(Says(value.Value, property.GetValue(options)), $"{name}: <value> is \"{value.Value.Trim()}\", the default is {Render(property.Name, property.GetValue(options))}.");
        }
    }

    [Theory]
    [MemberData(nameof(OptionTypes))]
    public void OperationsListsEveryOptionWithItsDefault(string typeName)
    {
        var (type, options) = Create(typeName);
        var start = Operations.IndexOf($"\n### {type.Name}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/operations.md has no heading \"### {type.Name}\".");
        var end = Operations.IndexOf("\n#", start + 2, StringComparison.Ordinal);
        var rows = Row().Matches(Operations[start..(end < 0 ? Operations.Length : end)]).ToDictionary(row => row.Groups[1].Value, row => row.Groups[2].Value.Trim());
        var expected = Settings(type).ToDictionary(property => property.Name, property => Render(property.Name, property.GetValue(options)));
        Assert.Equal(expected.OrderBy(pair => pair.Key, StringComparer.Ordinal), rows.OrderBy(pair => pair.Key, StringComparer.Ordinal));
    }

    private static (Type Type, object Options) Create(string typeName)
    {
        var type = Type.GetType(typeName, throwOnError: true)!;
        return (type, Activator.CreateInstance(type)!);
    }

    private static IEnumerable<PropertyInfo> Settings(Type type) =>
        type.GetProperties().Where(property => !IsRequired(property));

    // What the user must give has no default.
    private static bool IsRequired(PropertyInfo property) =>
        property.CustomAttributes.Any(attribute => attribute.AttributeType.Name == "RequiredMemberAttribute");

    /// <summary>A default as docs/operations.md writes it.</summary>
    private static string Render(string name, object? value) => value switch
    {
        null => "none",
        bool flag => flag ? "true" : "false",
        Enum constant => constant.ToString(),
        string text when text == Environment.MachineName => "the machine's name",
        string text => text,
        IEnumerable items when !items.Cast<object>().Any() => "none",
        TimeSpan time when time.TotalSeconds < 1 => $"{time.TotalMilliseconds:0} ms",
        TimeSpan time => $"{time.TotalSeconds:0.###} s",
        int number when name.Contains("Bytes", StringComparison.Ordinal) && number % (1024 * 1024) == 0 && number > 0 => $"{number / 1024 / 1024} MiB",
        int number when name.Contains("Bytes", StringComparison.Ordinal) && number % 1024 == 0 && number > 0 => $"{number / 1024} KiB",
        int number when name.EndsWith("Port", StringComparison.Ordinal) => number.ToString(CultureInfo.InvariantCulture),
        int number => number.ToString("N0", CultureInfo.InvariantCulture),
        System.Net.IPAddress address => address.ToString(),
        _ => value.GetType().Name,
    };

    /// <summary>Whether a sentence for people begins with the value.</summary>
    private static bool Says(string text, object? value)
    {
        text = text.Trim();
        text = text.StartsWith("Default: ", StringComparison.Ordinal) ? text["Default: ".Length..] : text;
        switch (value)
        {
            case bool flag:
                return text.StartsWith(flag ? "true" : "false", StringComparison.OrdinalIgnoreCase);
            case int number:
                return Number().Match(text) is { Success: true } found && Amount(found) * BytesUnit(found) == number;
            case TimeSpan time:
                return Number().Match(text) is { Success: true } measured && measured.Groups[2].Success && TimeUnit(measured) * Amount(measured) == time;
            case null:
                return StartsWithNothing(text);
            case IEnumerable items when value is not string:
                return items.Cast<object>().Any() || StartsWithNothing(text);
            default:
                return text.Length > 0;
        }
    }

    private static bool StartsWithNothing(string text) => Nothing().IsMatch(text);

    private static double Amount(Match match) => double.Parse(match.Groups[1].Value, NumberStyles.Number, CultureInfo.InvariantCulture);

    private static int BytesUnit(Match match) => match.Groups[2].Value switch
    {
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => 1,
    };

    private static TimeSpan TimeUnit(Match match) => match.Groups[2].Value switch
    {
        "ms" or "milliseconds" => TimeSpan.FromMilliseconds(1),
        "s" or "second" or "seconds" => TimeSpan.FromSeconds(1),
        "min" or "minute" or "minutes" => TimeSpan.FromMinutes(1),
        _ => TimeSpan.Zero,
    };

    [GeneratedRegex(@"^(\d[\d,]*(?:\.\d+)?)(?:\s*(KiB|MiB|bytes|milliseconds|ms|seconds?|s|minutes?|min)\b)?")]
    private static partial Regex Number();

    [GeneratedRegex(@"^(none|null|empty)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Nothing();

    [GeneratedRegex(@"^\| `(\w+)` \| ([^|]*) \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
