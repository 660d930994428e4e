using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Im.Storage.MySql.Internal;

/// <summary>The named locks by which another node finds the writing connections of a process, to end them when it is dead or frozen.</summary>
/// <remarks>
/// Each writing connection holds one of a fixed set of names that are derived from the instance id, which no other process ever has. So whoever knows the
/// id asks the server who holds them, and nothing needs to be stored. Shared by all lanes.
/// </remarks>
internal sealed class ConnectionMarks
{
    /// <summary>So many connections can be marked at once; one that a server has not given up yet keeps its mark beside its successor.</summary>
    public const int Count = 160;

    private volatile string? _instance;
    private int _last = -1;

    /// <summary>The part of the names that stands for this process; null = it has no instance id (yet), and nothing is marked.</summary>
    public string? Instance => _instance;

    /// <summary>From now on connections are marked for this process.</summary>
    public void Use(string instanceId) => _instance = Hash(instanceId);

    /// <summary>A name to try; each call another one, all of them in turn.</summary>
    public string Next(string instance) => NameOf(instance, (int)((uint)Interlocked.Increment(ref _last) % Count));

    /// <summary>The name that the guard's own connection holds.</summary>
    public static string GuardOf(string instance) => $"im-{instance}-guard";

    /// <summary>All names of a process.</summary>
    public static IEnumerable<string> All(string instanceId)
    {
        var instance = Hash(instanceId);
        return Enumerable.Range(0, Count).Select(slot => NameOf(instance, slot)).Append(GuardOf(instance));
    }

    /// <summary>Names of locks are short, and not case-sensitive.</summary>
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));

    private static string NameOf(string instance, int slot) => string.Create(CultureInfo.InvariantCulture, $"im-{instance}-{slot}");
}
