using System.Net.WebSockets;
using System.Text;

namespace Im.Transport.WebSockets.Tests;

/// <summary>Every await has a deadline.</summary>
internal static class Waiting
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public static Task InTime(this Task task) => task.WaitAsync(Deadline);

    public static Task<T> InTime<T>(this Task<T> task) => task.WaitAsync(Deadline);

    /// <summary>Polls until the condition holds.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (!condition())
        {
            Assert.False(deadline.IsCancellationRequested, $"Not in time: {what}");
            await Task.Delay(5);
        }
    }

    public static int Seed()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), out var given) ? given : Random.Shared.Next();
        Console.WriteLine($"IM_SEED={seed}");
        return seed;
    }

    public static Task SendTextAsync(this WebSocket socket, string text, bool end = true) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, end, default).InTime();

    public static Task SendBinaryAsync(this WebSocket socket, byte[] bytes, bool end = true) =>
        socket.SendAsync(bytes, WebSocketMessageType.Binary, end, default).InTime();

    /// <summary>The next whole message; null after the server's close frame.</summary>
    public static async Task<byte[]?> ReceiveMessageAsync(this WebSocket socket)
    {
        using var message = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer, default).InTime();
            if (part.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }

            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
            {
                return message.ToArray();
            }
        }
    }

    public static async Task<string?> ReceiveTextAsync(this WebSocket socket) =>
        await socket.ReceiveMessageAsync() is { } bytes ? Encoding.UTF8.GetString(bytes) : null;

    /// <summary>Reads to the server's close frame and answers it.</summary>
    public static async Task<(int? Code, string? Reason)> ReceiveCloseAsync(this WebSocket socket)
    {
        while (await socket.ReceiveMessageAsync() is not null)
        {
        }

        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default).InTime();
        return ((int?)socket.CloseStatus, socket.CloseStatusDescription);
    }
}
