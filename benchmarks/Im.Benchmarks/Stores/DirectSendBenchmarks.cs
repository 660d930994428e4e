using BenchmarkDotNet.Attributes;
using Im.Messaging;
using Im.Model;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Im.Benchmarks.Stores;

/// <summary>64 senders of one-to-one messages, each of which sends its next message when the one before is committed: group commit with a closed loop.</summary>
/// <remarks>Through the server's own pipeline and committer, without sockets. Mean is the time a message; 1 s / mean = messages a second.</remarks>
[MemoryDiagnoser]
public class DirectSendBenchmarks
{
    private const int Senders = 64;
    private const int MessagesEach = 100;

    private StoreUnderTest _store = null!;
    private IImMessages _messages = null!;

    [Params("memory", "sqlite", "mariadb")]
    public string Store { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _store = StoreUnderTest.StartAsync(Store).GetAwaiter().GetResult();
        foreach (var service in _store.Get<IEnumerable<IHostedService>>())
        {
            service.StartAsync(CancellationToken.None).GetAwaiter().GetResult();
        }

        _messages = _store.Get<IImMessages>();
    }

    [Benchmark(OperationsPerInvoke = Senders * MessagesEach)]
    public Task SendAndWaitForTheCommit() => Task.WhenAll(Enumerable.Range(0, Senders).Select(SendAsync));

    [GlobalCleanup]
    public void Cleanup()
    {
        foreach (var service in _store.Get<IEnumerable<IHostedService>>())
        {
            (service as IHostedLifecycleService)?.StoppingAsync(CancellationToken.None).GetAwaiter().GetResult();
            service.StopAsync(CancellationToken.None).GetAwaiter().GetResult();
        }

        _store.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    private async Task SendAsync(int sender)
    {
        var message = new OutgoingMessage
        {
            SenderId = $"ann{sender}",
            ToUserId = $"bob{sender}",
            Content = MessageContent.FromText(new string('x', 100)),
        };
        for (var i = 0; i < MessagesEach; i++)
        {
            var result = await _messages.SendAsync(message with { ClientMessageId = Guid.NewGuid().ToString("N") });
            if (result.Outcome != ImSendOutcome.Stored)
            {
                throw new InvalidOperationException($"{result.Outcome}: {result.Message}");
            }
        }
    }
}
