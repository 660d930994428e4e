using System.Globalization;

namespace Im.Benchmarks.Stores;

/// <summary>How many bytes on disk a message and a delivery take: <c>dotnet run -c Release --project benchmarks/Im.Benchmarks -- size</c>.</summary>
/// <remarks>Growth of the tables' files over many commits of one shape; 100-byte bodies. MySQL's files grow in steps of up to 4 MiB a table.</remarks>
internal static class SizeReport
{
    private static readonly (int Messages, int Members, int Commits)[] Shapes = [(500, 500, 100), (1, 500, 500), (1, 100, 2000), (1, 2, 20_000)];

    public static async Task RunAsync()
    {
        Console.WriteLine("| store | messages a commit | members | commits | bytes a message | bytes a delivery |");
        Console.WriteLine("|---|---:|---:|---:|---:|---:|");
        foreach (var store in (string[])["sqlite", "mariadb"])
        {
            foreach (var (messages, members, commits) in Shapes)
            {
                await MeasureAsync(store, messages, members, commits);
            }
        }
    }

    private static async Task MeasureAsync(string name, int messages, int members, int commits)
    {
        await using var store = await StoreUnderTest.StartAsync(name);
        var shape = new CommitShape(messages, members);
        shape.Observe(await store.Messages.AppendAsync(shape.Create(), CancellationToken.None));
        var before = await store.MeasureAsync();
        for (var i = 0; i < commits; i++)
        {
            shape.Observe(await store.Messages.AppendAsync(shape.Next(), CancellationToken.None));
        }

        var bytes = (double)(await store.MeasureAsync() - before) / commits / messages;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"| {name} | {messages} | {members} | {commits} | {bytes:n0} | {bytes / members:n2} |"));
    }
}
