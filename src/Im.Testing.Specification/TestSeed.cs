using System.Globalization;
using Xunit.Abstractions;

namespace Im.Testing.Specification;

/// <summary>Random tests print their seed; <c>IM_SEED=n</c> runs that one again.</summary>
internal static class TestSeed
{
    public static int Next(ITestOutputHelper output)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given
            : Random.Shared.Next();
        output.WriteLine($"IM_SEED={seed}");
        return seed;
    }
}
