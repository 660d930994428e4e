using System.Text.Json;
using System.Text.Json.Serialization;

namespace Im.LoadGenerator.Output;

/// <summary>The figures of a run. The names are those of the JSON object; what does not apply is null.</summary>
internal sealed class Report
{
    private static readonly JsonSerializerOptions Json = new() { Converters = { new RoundedConverter() } };

    [JsonPropertyName("scenario")] public string Scenario { get; set; } = "";

    [JsonPropertyName("transport")] public string Transport { get; set; } = "";

    [JsonPropertyName("store")] public string? Store { get; set; }

    [JsonPropertyName("fanout")] public string? Fanout { get; set; }

    [JsonPropertyName("members")] public int? Members { get; set; }

    [JsonPropertyName("connections")] public int? Connections { get; set; }

    [JsonPropertyName("rounds")] public int? Rounds { get; set; }

    [JsonPropertyName("rate")] public double? Rate { get; set; }

    [JsonPropertyName("messages")] public long? Messages { get; set; }

    [JsonPropertyName("deliveries")] public long? Deliveries { get; set; }

    [JsonPropertyName("lost")] public long Lost { get; set; }

    [JsonPropertyName("duplicated")] public long Duplicated { get; set; }

    [JsonPropertyName("reordered")] public long Reordered { get; set; }

    [JsonPropertyName("errors")] public long Errors { get; set; }

    [JsonPropertyName("seconds")] public double Seconds { get; set; }

    [JsonPropertyName("messages_per_second")] public double? MessagesPerSecond { get; set; }

    [JsonPropertyName("deliveries_per_second")] public double? DeliveriesPerSecond { get; set; }

    [JsonPropertyName("server_cpu_seconds")] public double? ServerCpuSeconds { get; set; }

    [JsonPropertyName("server_cpu_seconds_per_million")] public double? ServerCpuSecondsPerMillion { get; set; }

    [JsonPropertyName("store_cpu_seconds")] public double? StoreCpuSeconds { get; set; }

    [JsonPropertyName("client_cpu_seconds")] public double? ClientCpuSeconds { get; set; }

    [JsonPropertyName("p50_ms")] public double? P50Ms { get; set; }

    [JsonPropertyName("p99_ms")] public double? P99Ms { get; set; }

    [JsonPropertyName("p999_ms")] public double? P999Ms { get; set; }

    [JsonPropertyName("last_p50_ms")] public double? LastP50Ms { get; set; }

    [JsonPropertyName("last_p99_ms")] public double? LastP99Ms { get; set; }

    [JsonPropertyName("ack_p50_ms")] public double? AckP50Ms { get; set; }

    [JsonPropertyName("ack_p99_ms")] public double? AckP99Ms { get; set; }

    [JsonPropertyName("server_rss_mb")] public double? ServerRssMb { get; set; }

    [JsonPropertyName("server_allocated_bytes_per_delivery")] public double? ServerAllocatedBytesPerDelivery { get; set; }

    [JsonPropertyName("server_rss_bytes_per_connection")] public double? ServerRssBytesPerConnection { get; set; }

    [JsonPropertyName("storm_seconds")] public double? StormSeconds { get; set; }

    [JsonPropertyName("largest_push_bytes")] public int? LargestPushBytes { get; set; }

    [JsonPropertyName("slow_percent")] public double? SlowPercent { get; set; }

    [JsonPropertyName("p99_without_slow_ms")] public double? P99WithoutSlowMs { get; set; }

    [JsonPropertyName("p99_ratio")] public double? P99Ratio { get; set; }

    [JsonPropertyName("kills")] public int? Kills { get; set; }

    [JsonPropertyName("killed")] public string? Killed { get; set; }

    [JsonPropertyName("resent")] public long? Resent { get; set; }

    [JsonPropertyName("verified_deliveries")] public long? VerifiedDeliveries { get; set; }

    [JsonPropertyName("seed")] public int Seed { get; set; }

    [JsonIgnore] public bool IsClean => Lost == 0 && Duplicated == 0 && Reordered == 0 && Errors == 0;

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    // Six significant digits are more than any of this is good for.
    private sealed class RoundedConverter : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options) =>
            writer.WriteNumberValue(value == 0 || !double.IsFinite(value) ? 0 : double.Parse(value.ToString("G6", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture));
    }
}
