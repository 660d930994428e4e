namespace Im.Transport.Tcp.Tests.Support;

/// <summary>Random tests replay with IM_SEED.</summary>
internal static class Seed
{
    public static Random Create(Action<string> print)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), out var given) ? given : Random.Shared.Next();
        print($"IM_SEED={seed}");
        return new Random(seed);
    }

    public static byte[] Bytes(this Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
