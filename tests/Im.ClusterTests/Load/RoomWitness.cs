using Im.Client;
using Im.ClusterTests.Cluster;
using Im.Protocol;

namespace Im.ClusterTests.Load;

/// <summary>Somebody in a room while things fail: says something, and notes what comes and what is told as missing, in order.</summary>
internal sealed class RoomWitness : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _room;
    private readonly Task _reading;

    // Guards what was noted.
    private readonly Lock _lock = new();
    private readonly List<Part> _parts = [];

    private RoomWitness(string userId, NodeProcess node, string room)
    {
        _room = room;
        UserId = userId;
        Client = new ImClient(new ImClientOptions { Server = node.Address, DeviceId = "d", TokenProvider = _ => ValueTask.FromResult(userId) });
        _reading = ReadAsync();
    }

    public string UserId { get; }

    public ImClient Client { get; }

    /// <summary>What it has received, and what it was told to be missing.</summary>
    public IReadOnlyList<Part> Parts
    {
        get
        {
            lock (_lock)
            {
                return [.. _parts];
            }
        }
    }

    /// <summary>What it has said and was told the seq of.</summary>
    public List<(string Text, long Seq)> Acked { get; } = [];

    public static async Task<RoomWitness> EnterAsync(string userId, NodeProcess node, string room)
    {
        var witness = new RoomWitness(userId, node, room);
        await witness.Client.ConnectAsync().WaitAsync(Patience);
        await witness.SubscribeAsync();
        return witness;
    }

    /// <summary>The epoch of a room, as somebody sees who comes now.</summary>
    public static async Task<string> LookAsync(string userId, NodeProcess node, string room)
    {
        await using var visitor = new RoomWitness(userId, node, room);
        await visitor.Client.ConnectAsync().WaitAsync(Patience);
        return (await visitor.SubscribeAsync()).Epoch;
    }

    public Task<ImRoomState> SubscribeAsync() => Client.SubscribeRoomAsync(_room).WaitAsync(Patience);

    /// <summary>Says it, once; returns how that was answered.</summary>
    public async Task<ImErrorCode> TrySayAsync(string text)
    {
        try
        {
            Acked.Add((text, (await Client.SendTextToRoomAsync(_room, text).WaitAsync(Patience)).Seq));
            return ImErrorCode.None;
        }
        catch (ImClientException exception) when (exception.Code != ImErrorCode.None)
        {
            return exception.Code;
        }
    }

    public bool HasHeard(string text) => Parts.Any(part => part.Text == text);

    /// <summary>Everything is there or told as missing, once and in order, in each epoch; and what was acked stands at its seq.</summary>
    /// <param name="acked">What was acked in the last epoch, to anybody.</param>
    /// <param name="epochs">How many epochs there were.</param>
    public void AssertComplete(IReadOnlyCollection<(string Text, long Seq)> acked, int epochs)
    {
        var parts = Parts;
        var all = string.Join(", ", parts);
        Assert.Equal(epochs, parts.Count(part => part.From == 1));
        foreach (var (before, after) in parts.Zip(parts.Skip(1)))
        {
            Assert.True(after.From == before.To + 1 || after.From == 1, $"{after} follows {before}: {all}");
        }

        var texts = parts.Where(part => part.Text is not null).Select(part => part.Text).ToArray();
        Assert.Equal(texts.Distinct(), texts);
        var last = parts.Skip(parts.ToList().FindLastIndex(part => part.From == 1)).ToArray();
        foreach (var (text, seq) in acked)
        {
            Assert.True(
                last.Any(part => part.From <= seq && seq <= part.To && (part.Text is null || part.Text == text)), $"\"{text}\", acked at {seq}, is neither there nor missing: {all}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _reading.WaitAsync(Patience);
    }

    private async Task ReadAsync()
    {
        await foreach (var received in Client.ReadAsync())
        {
            var part = received switch
            {
                ImRoomMessageEvent message => new Part(message.Seq, message.Seq, message.Message.Content.Text),
                ImRoomGapEvent gap => new Part(gap.FromSeq, gap.ToSeq, null),
                _ => null,
            };
            if (part is not null)
            {
                lock (_lock)
                {
                    _parts.Add(part);
                }
            }
        }
    }

    /// <summary>A message, or a gap where there is no text.</summary>
    internal sealed record Part(long From, long To, string? Text)
    {
        public override string ToString() => Text is null ? $"gap {From}–{To}" : $"{From} \"{Text}\"";
    }
}
