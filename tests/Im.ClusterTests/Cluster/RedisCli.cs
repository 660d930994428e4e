using System.Net.Sockets;
using System.Text;
using Im.LocalServers;

namespace Im.ClusterTests.Cluster;

/// <summary>Says one command to a Redis and reads what it answers, without a client library.</summary>
internal static class RedisCli
{
    /// <summary>The answer's text; an error throws.</summary>
    public static async Task<string> AskAsync(RedisServer redis, params string[] words)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(redis.Host, redis.Port).WaitAsync(TimeSpan.FromSeconds(5));
        await using var stream = socket.GetStream();
        var command = new StringBuilder($"*{words.Length}\r\n");
        foreach (var word in words)
        {
            command.Append($"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes(command.ToString()));
        using var reader = new StreamReader(stream);
        var head = await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(5)) ?? "";
        switch (head.Length == 0 ? ' ' : head[0])
        {
            case '+' or ':':
                return head[1..];
            case '$':
                var text = new char[int.Parse(head[1..])];
                await reader.ReadBlockAsync(text).AsTask().WaitAsync(TimeSpan.FromSeconds(5));
                return new string(text);
            default:
                throw new IOException($"Redis answered {string.Join(' ', words)} with {head}");
        }
    }

    /// <summary>How often a command was run since the start, from INFO commandstats.</summary>
    public static async Task<long> CountAsync(RedisServer redis, string command)
    {
        var line = (await AskAsync(redis, "INFO", "commandstats")).Split("\r\n")
            .FirstOrDefault(line => line.StartsWith($"cmdstat_{command}:", StringComparison.OrdinalIgnoreCase));
        return line is null ? 0 : long.Parse(line.Split("calls=")[1].Split(',')[0]);
    }
}
