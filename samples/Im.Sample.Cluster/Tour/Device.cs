using System.Diagnostics;
using System.Threading.Channels;
using Im.Client;

namespace Im.Sample.Cluster.Tour;

/// <summary>Somebody's device: says what happens to it in plain words.</summary>
internal sealed class Device : IAsyncDisposable
{
    private readonly Channel<string> _heard = Channel.CreateBounded<string>(1000);
    private readonly Task _reading;
    private bool _isSilent;

    public Device(string user, string name, ICursorStore cursors, params Uri[] servers)
    {
        User = user;
        Name = name;
        Client = new ImClient(new ImClientOptions
        {
            Server = servers[0],
            // Where to go when that node is gone.
            MoreServers = servers[1..],
            DeviceId = name,
            TokenProvider = _ => ValueTask.FromResult(user),
            CursorStore = cursors,
            ReconnectMinDelay = TimeSpan.FromMilliseconds(200),
            CursorSaveInterval = TimeSpan.FromMilliseconds(200),
        });
        Client.StateChanged += (_, change) =>
        {
            if (change.State == ImClientState.Reconnecting && !_isSilent)
            {
                Console.WriteLine($"    {this} has lost its connection and tries the next node.");
            }
        };
        _reading = ReadAsync();
    }

    public string User { get; }

    public string Name { get; }

    public ImClient Client { get; }

    /// <summary>How many messages it was given.</summary>
    public int Count { get; private set; }

    public Task ConnectAsync() => Client.ConnectAsync().WaitAsync(TimeSpan.FromSeconds(20));

    public async Task SayAsync(ImTarget target, string text)
    {
        var start = Stopwatch.GetTimestamp();
        var ack = await Client.SendTextAsync(target, text).WaitAsync(TimeSpan.FromSeconds(30));
        Console.WriteLine($"    {this}: \"{text}\" ({ack.ConversationId}, seq {ack.ConversationSeq}; stored after {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0} ms)");
    }

    /// <summary>Waits for the next message and says that it came.</summary>
    public async Task HearAsync()
    {
        var start = Stopwatch.GetTimestamp();
        var text = await _heard.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Console.WriteLine($"    → {this} has \"{text}\" ({Stopwatch.GetElapsedTime(start).TotalMilliseconds:0} ms after the ack)");
    }

    public async ValueTask DisposeAsync()
    {
        _isSilent = true;
        await Client.DisposeAsync();
        await _reading;
    }

    public override string ToString() => $"{User}'s {Name}";

    private async Task ReadAsync()
    {
        try
        {
            await foreach (var received in Client.ReadAsync())
            {
                if (received is ImEntryEvent { Entry.Content.Text: { } text } entry && (entry.Entry.SenderId != User || entry.Entry.SenderDeviceId != Name))
                {
                    Count++;
                    await _heard.Writer.WriteAsync(text);
                }
            }
        }
        catch (ImClientException)
        {
            // Closed for good; Client.Closed says why.
        }
    }
}
