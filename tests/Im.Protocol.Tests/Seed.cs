using System.Globalization;
using Xunit.Abstractions;

namespace Im.Protocol.Tests;

/// <summary>The seed of a random test: IM_SEED, or a new one; printed, so that a failure replays.</summary>
internal static class Seed
{
    public static Random NewRandom(ITestOutputHelper output)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given
            : Random.Shared.Next();
        output.WriteLine($"IM_SEED={seed}");
        return new Random(seed);
    }
}
