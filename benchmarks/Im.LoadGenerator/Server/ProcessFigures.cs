using System.Globalization;

namespace Im.LoadGenerator.Server;

/// <summary>What the kernel knows of a process on this machine.</summary>
internal static class ProcessFigures
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on every Linux that .NET runs on
    private static readonly int PageBytes = Environment.SystemPageSize;

    /// <summary>User and system time of all its threads.</summary>
    public static double CpuSeconds(int pid)
    {
        var text = File.ReadAllText($"/proc/{pid}/stat");

        // The name, in brackets, may contain anything; state is the first field after it.
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>Its resident memory.</summary>
    public static long ResidentBytes(int pid) =>
        long.Parse(File.ReadAllText($"/proc/{pid}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * PageBytes;
}
