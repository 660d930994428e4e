using BenchmarkDotNet.Attributes;
using Im.Connections;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Sync;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Benchmarks;

/// <summary>
/// What a delivered push costs for each recipient: offered to a session, queued, and written to its transport. The payload is encoded once outside.
/// Allocated must stay 0 B whatever the number of recipients.
/// </summary>
[MemoryDiagnoser]
public class PushBenchmarks
{
    private BenchServer _server = null!;
    private Session[] _sessions = null!;
    private PushPayload _payload = null!;
    private CountingWriter _writer = null!;
    private long _seq;

    [Params(100, 1000)]
    public int Recipients { get; set; }

    [Params(ImCodec.Protobuf, ImCodec.Json)]
    public ImCodec Codec { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _server = BenchServer.StartAsync(Recipients, "write", Codec).GetAwaiter().GetResult();
        _writer = new CountingWriter();
        var registry = _server.Services.GetRequiredService<SessionRegistry>();
        _sessions = [.. Enumerable.Range(0, Recipients).Select(i => registry.Get($"u{i}")[0])];
        _payload = new PushPayload(EncodedRun.Create(
        [
            new StoredEntry
            {
                ConversationId = "g:g",
                Seq = new ConversationSeq(2),
                Ordinal = 1,
                SenderId = "u1",
                ClientMessageId = "0123456789abcdef0123456789abcdef",
                TimeMs = 1_700_000_000_000,
                Kind = EntryKind.Message,
                Body = Google.Protobuf.MessageExtensions.ToByteArray(
                    new Entry { Content = new Content { ContentType = "text", Text = new string('x', 100) } }),
            },
        ]));

        // The group's creation stands in every inbox at 1.
        _seq = 1;
    }

    [Benchmark]
    public long OfferAndWrite()
    {
        var first = new InboxSeq(++_seq);
        foreach (var session in _sessions)
        {
            session.Offer(first, _payload);
        }

        foreach (var connection in _server.Connections)
        {
            if (connection.Drain(_writer) == 0)
            {
                throw new InvalidOperationException("A recipient got nothing.");
            }
        }

        return _writer.Bytes;
    }

    [GlobalCleanup]
    public void Cleanup() => _server.Dispose();
}
