using BenchmarkDotNet.Attributes;
using Im.Model;
using Im.Protocol;

namespace Im.Benchmarks;

/// <summary>
/// A burst as the host sends it: 500 messages to a group, from the API through commit in the in-memory store to every session's transport. Time and
/// bytes a delivery are the figures divided by 500 × Members; the in-memory store keeps the messages, so bytes are not zero.
/// </summary>
[MemoryDiagnoser]
public class BatchBenchmarks
{
    private const int Messages = 500;

    private BenchServer _server = null!;
    private OutgoingMessage[] _messages = null!;
    private long _lastDrained;

    [Params(500)]
    public int Members { get; set; }

    [Params("write", "read")]
    public string Fanout { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _server = BenchServer.StartAsync(Members, Fanout, ImCodec.Protobuf).GetAwaiter().GetResult();
        _messages =
        [
            .. Enumerable.Range(0, Messages).Select(i => new OutgoingMessage
            {
                SenderId = $"u{i % Members}",
                ConversationId = "g:g",
                Content = MessageContent.FromText(new string('x', 100)),
            }),
        ];
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public async Task<long> SendAndDeliver()
    {
        var results = await _server.Im.Messages.SendAsync(_messages);
        if (results.Any(result => result.Outcome != ImSendOutcome.Stored))
        {
            throw new InvalidOperationException("A message was not stored.");
        }

        return _lastDrained = _server.Drain();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        if (_lastDrained == 0)
        {
            throw new InvalidOperationException("Nothing was delivered.");
        }

        _server.Dispose();
    }
}
