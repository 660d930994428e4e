using System.Text.RegularExpressions;

namespace Im.Outbox.Internal;

/// <summary>What the table may be called: the name is part of statements, so it is checked and not quoted.</summary>
internal static partial class TableNames
{
    public static bool IsValid(string name) => Name().IsMatch(name);

    public static string Problem(string name) =>
        $"ImOutboxOptions.TableName is \"{name}\"; use 1 to 60 letters, digits and _, beginning with a letter or _, with at most one schema and a dot in front, for example \"im_outbox\".";

    [GeneratedRegex(@"\A([A-Za-z_][A-Za-z0-9_]{0,59}\.)?[A-Za-z_][A-Za-z0-9_]{0,59}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
