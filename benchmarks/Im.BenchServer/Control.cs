using System.Globalization;
using Im.Groups;
using Im.Model;

namespace Im.BenchServer;

/// <summary>The control channel: one command a line on standard input, one answer a line on standard output.</summary>
/// <remarks>
/// <code>
///   group ID FANOUT COUNT FIRST PATTERN   ok         a group of users FIRST … FIRST + COUNT - 1; FANOUT write, read or auto; {0} in PATTERN = the number
///   gc                                    ok         one full, compacting collection
///   allocated                             ok BYTES   allocated since the start, exact
///   stop                                  ok         drain and exit; so does the end of standard input
/// </code>
/// A thread of its own waits for lines, so that no thread of the pool does.
/// </remarks>
internal sealed class Control(IImServer server, IHostApplicationLifetime lifetime)
{
    public void Start() => new Thread(Run) { IsBackground = true, Name = "control" }.Start();

    private void Run()
    {
        while (Console.In.ReadLine() is { } line)
        {
            try
            {
                Console.Out.WriteLine(("ok " + Execute(line.Split(' '))).TrimEnd());
            }
            catch (Exception exception)
            {
                Console.Out.WriteLine("error " + exception.Message.ReplaceLineEndings(" "));
            }
        }

        // Whoever started this process is gone.
        lifetime.StopApplication();
    }

    private string Execute(string[] words)
    {
        switch (words[0])
        {
            case "group":
                CreateGroup(words[1], words[2], Number(words[3]), Number(words[4]), words[5]);
                return "";
            case "gc":
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                return "";
            case "allocated":
                return GC.GetTotalAllocatedBytes(precise: true).ToString(CultureInfo.InvariantCulture);
            case "stop":
                lifetime.StopApplication();
                return "";
            default:
                throw new ArgumentException($"Unknown command {words[0]}.");
        }
    }

    private void CreateGroup(string id, string fanout, int count, int first, string pattern)
    {
        var group = new NewGroup
        {
            GroupId = id,
            Info = new GroupInfo(id),
            MemberIds = [.. Enumerable.Range(first, count).Select(number => string.Format(CultureInfo.InvariantCulture, pattern, number))],
            ActorId = "$bench",
            Fanout = fanout == "auto" ? null : fanout,
        };
        server.Groups.CreateAsync(group).AsTask().GetAwaiter().GetResult();
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
