using System.Globalization;

namespace Im.ModelTests;

/// <summary>How big a run is. The seed decides everything else.</summary>
internal sealed record ModelPlan(int Seed, int Messages, int Users, int Devices)
{
    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var given) ? given : otherwise;

    /// <summary>The run that the environment asks for: <c>IM_MODEL_MESSAGES</c>, <c>IM_SEED</c>.</summary>
    public static ModelPlan FromEnvironment(int messages) =>
        new(Number("IM_SEED", Random.Shared.Next(1_000_000)), Number("IM_MODEL_MESSAGES", messages), Users: 52, Devices: 156);

    /// <summary>Small limits, so that things happen often.</summary>
    public void Configure(ImServerOptions options)
    {
        var random = new Random(Seed);
        options.MaxQueueBytes = Pick(random, 1500, 3000, 6000);
        options.MaxPageEntries = Pick(random, 5, 20, 60);
        options.MaxPageBytes = Pick(random, 2048, 16_384);
        options.MaxBatchMessages = Pick(random, 3, 20, 100);
        options.MaxBatchInboxes = Pick(random, 20, 200, 10_000);
        options.RecentEntriesBytes = Pick(random, 0, 20_000, 2_000_000);
        options.MaxConcurrentCatchUps = Pick(random, 1, 4);
        options.MaxInFlightSends = Pick(random, 4, 64);
        options.MaxCachedConversations = Pick(random, 20, 10_000);
        options.MaxWriteFanoutMembers = 8;
        options.MaxSendsPerSecond = 1_000_000;
        options.HeartbeatInterval = TimeSpan.FromMilliseconds(100);
        options.IdleTimeout = TimeSpan.FromSeconds(20);
        options.SlowTimeout = TimeSpan.FromSeconds(2);
        options.DrainTimeout = TimeSpan.FromSeconds(2);
        options.ReconnectSpread = TimeSpan.FromMilliseconds(200);
    }

    private static int Pick(Random random, params ReadOnlySpan<int> values) => values[random.Next(values.Length)];
}
