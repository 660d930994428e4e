using System.Diagnostics;
using Im.Client;
using Im.ClusterTests.Cluster;
using Im.Protocol;

namespace Im.ClusterTests.Load;

/// <summary>Sends numbered messages at a steady rate from random devices to random conversations; a send ends with its ack, whatever happens meanwhile.</summary>
internal sealed class LoadDriver(World world, MessageBook book, Problems problems, Interruptions interruptions, int seed)
{
    private const int MaxInFlight = 4000;
    private const int MaxInFlightPerDevice = 64;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(4);

    private readonly Random _random = new(seed);
    private readonly Conversation[] _direct = [.. world.Direct];
    private readonly Conversation[] _onWrite = [.. world.OnWrite];
    private readonly Conversation[] _onRead = [.. world.OnRead];

    /// <summary>Sends until the book is full or the token is cancelled; the caller awaits what is in flight by <see cref="WhenSettledAsync"/>.</summary>
    public async Task RunAsync(double perSecond, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        var offset = book.Sent;
        while (book.Sent < book.Capacity && !cancellationToken.IsCancellationRequested)
        {
            var due = offset + (Stopwatch.GetElapsedTime(start).TotalSeconds * perSecond);
            for (var many = 0; book.Sent < Math.Min(due, book.Capacity) && book.Sent - book.Acked < MaxInFlight && many < 500; many++)
            {
                SendOne();
            }

            await Task.Delay(Tick, CancellationToken.None);
        }
    }

    /// <summary>Until every message is acked and every device has it.</summary>
    public Task WhenSettledAsync(TimeSpan timeout) => Wait.UntilAsync(() => Task.FromResult(DescribeOpen(TimeSpan.Zero)), timeout);

    /// <summary>What is open for longer than this; null = nothing.</summary>
    public string? DescribeOpen(TimeSpan longerThan) => book.FindOldestOpen() is not { } number || book.AgeOf(number) <= longerThan
        ? null
        : $"message {number} of {book.ConversationOf(number).Id}, {(book.IsAcked(number) ? $"acked at {book.SeqOf(number)}" : "not acked")}, sent {book.AgeOf(number).TotalSeconds:0.0} s ago, is missing at "
            + $"{book.Lacking(number)} devices: {string.Join(", ", book.ConversationOf(number).Devices.Where(device => !device.Has(number)).Take(5).Select(device => $"{device} ({device.Client.State})"))}";

    private void SendOne()
    {
        var choice = _random.Next(100);
        var conversations = choice < 70 ? _direct : choice < 90 ? _onWrite : _onRead;
        var conversation = conversations[_random.Next(conversations.Length)];
        var device = world.SenderOf(conversation, _random);
        if (Volatile.Read(ref device.InFlight) < MaxInFlightPerDevice)
        {
            _ = SendAsync(device, conversation, book.Add(conversation));
        }
    }

    private async Task SendAsync(TestDevice device, Conversation conversation, int number)
    {
        Interlocked.Increment(ref device.InFlight);
        try
        {
            var ack = await device.Client.SendAsync(new ImMessage
            {
                Target = ImTarget.Conversation(conversation.Id),
                Content = new Content { ContentType = "text", Text = $"{TestDevice.Prefix}{number}" },
                ClientMessageId = ClientMessageId(number),
            });
            interruptions.Acked(book.Ack(number, ack.ConversationId, ack.ConversationSeq));
        }
        catch (Exception exception)
        {
            problems.Add($"The send of message {number} by {device} failed: {exception.Message}");
        }
        finally
        {
            Interlocked.Decrement(ref device.InFlight);
        }
    }

    public string ClientMessageId(int number) => $"{seed:x}-{number}";
}
