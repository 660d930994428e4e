namespace Im.BenchServer;

/// <summary>Chooses the store: <c>--store memory</c>, or one of the durable ones with <c>--connection</c>.</summary>
internal static class Stores
{
    public static void Use(IImServerBuilder builder, IConfiguration configuration)
    {
        var store = configuration["store"] ?? "memory";
        switch (store)
        {
            case "memory":
                break;
            default:
                throw new ArgumentException($"There is no store \"{store}\"; use --store memory, sqlite or mysql.");
        }
    }
}
