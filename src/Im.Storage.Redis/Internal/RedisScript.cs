using System.Reflection;

namespace Im.Storage.Redis.Internal;

/// <summary>A Lua script of this package; records.lua stands in front of those that need it.</summary>
internal sealed class RedisScript
{
    public static readonly RedisScript Register = new("register", "records");
    public static readonly RedisScript Remove = new("remove", "records");
    public static readonly RedisScript Find = new("find");
    public static readonly RedisScript List = new("list");
    public static readonly RedisScript Holds = new("holds", "records");
    public static readonly RedisScript Reap = new("reap", "records");
    public static readonly RedisScript Join = new("join", "records");
    public static readonly RedisScript Renew = new("renew", "records");
    public static readonly RedisScript Leave = new("leave", "records");
    public static readonly RedisScript Dead = new("dead", "records");
    public static readonly RedisScript Buried = new("buried", "records");
    public static readonly RedisScript Heads = new("heads");
    public static readonly RedisScript MembersFind = new("members-find");
    public static readonly RedisScript MembersChange = new("members-change");
    public static readonly RedisScript FillBegin = new("fill-begin");
    public static readonly RedisScript FillAdd = new("fill-add");
    public static readonly RedisScript FillComplete = new("fill-complete");
    public static readonly RedisScript RoomPublish = new("room-publish");
    public static readonly RedisScript RoomRead = new("room-read");

    private RedisScript(string name, params string[] preludes)
    {
        Name = name;
        Text = string.Concat([.. preludes.Select(Read), Read(name)]);
    }

    public string Name { get; }

    public string Text { get; }

    private static string Read(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"Scripts/{name}.lua")
            ?? throw new InvalidOperationException($"The script {name}.lua is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd() + "\n";
    }
}
