using System.Globalization;
using System.Text.Json;

namespace Im.LoadGenerator.Output;

/// <summary>The report for people: the same fields, one a line, without those that do not apply.</summary>
internal static class Text
{
    public static void Write(Report report, TextWriter output)
    {
        using var document = JsonDocument.Parse(report.ToJson());
        foreach (var field in document.RootElement.EnumerateObject())
        {
            if (field.Value.ValueKind != JsonValueKind.Null)
            {
                var value = field.Value.ValueKind == JsonValueKind.Number ? field.Value.GetDouble().ToString("#,0.######", CultureInfo.InvariantCulture) : field.Value.ToString();
                output.WriteLine($"{field.Name,-38} {value}");
            }
        }

        output.WriteLine(report.IsClean ? "ok" : "NOT OK: see lost, duplicated, reordered, errors");
    }
}
