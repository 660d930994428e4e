using System.Globalization;
using System.Text.Json;

namespace Im.LoadGenerator.Output;

/// <summary>Many runs as one table: lines of a row's name, a tab and a report; of equal rows, stores and transports the median of each figure.</summary>
internal static class MarkdownTable
{
    private static readonly (string Title, string Field, string Format)[] Columns =
    [
        ("messages/s", "messages_per_second", "N0"),
        ("deliveries/s", "deliveries_per_second", "N0"),
        ("server CPU-s per million", "server_cpu_seconds_per_million", "0.000"),
        ("server CPU-s", "server_cpu_seconds", "0.0"),
        ("store CPU-s", "store_cpu_seconds", "0.0"),
        ("generator CPU-s", "client_cpu_seconds", "0.0"),
        ("p50 ms", "p50_ms", "0.00"),
        ("p99 ms", "p99_ms", "0.0"),
        ("p999 ms", "p999_ms", "0.0"),
        ("last receiver p50 ms", "last_p50_ms", "0.00"),
        ("server RSS MB", "server_rss_mb", "0"),
        ("allocated B/delivery", "server_allocated_bytes_per_delivery", "0.0"),
        ("RSS B/connection", "server_rss_bytes_per_connection", "N0"),
        ("storm s", "storm_seconds", "0.00"),
        ("largest push B", "largest_push_bytes", "N0"),
        ("p99 with/without slow", "p99_ratio", "0.00"),
    ];

    public static void Write(IEnumerable<string> lines, TextWriter output)
    {
        var runs = lines.Select(line => line.Split('\t', 2)).Select(parts => (Name: parts[0], Figures: JsonDocument.Parse(parts[1]).RootElement)).ToList();
        output.WriteLine($"| scenario | store | transport | {string.Join(" | ", Columns.Select(column => column.Title))} | lost, duplicated, reordered, errors |");
        output.WriteLine($"|---|---|---|{string.Concat(Columns.Select(_ => "---:|"))}---|");
        foreach (var row in runs.GroupBy(run => (run.Name, Store: Text(run.Figures, "store"), Transport: Text(run.Figures, "transport"))))
        {
            var figures = row.Select(run => run.Figures).ToList();
            var cells = Columns.Select(column => Median(figures, column.Field)?.ToString(column.Format, CultureInfo.InvariantCulture) ?? "");
            var wrong = string.Join(", ", new[] { "lost", "duplicated", "reordered", "errors" }.Select(field => figures.Sum(run => run.GetProperty(field).GetInt64())));
            output.WriteLine($"| {row.Key.Name} | {row.Key.Store} | {row.Key.Transport} | {string.Join(" | ", cells)} | {wrong} |");
        }
    }

    private static double? Median(List<JsonElement> runs, string field)
    {
        var values = runs.Select(run => run.GetProperty(field)).Where(value => value.ValueKind == JsonValueKind.Number).Select(value => value.GetDouble()).Order().ToList();
        return values.Count == 0 ? null : (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
    }

    private static string Text(JsonElement run, string field) => run.GetProperty(field).GetString() ?? "";
}
