using System.Collections.Concurrent;
using System.Threading.Channels;
using Im.Connections;

namespace Im.Transport.WebSockets.Tests;

/// <summary>Stands for the core: accepts every connection with a handler that the test can look into.</summary>
internal sealed class FakeCore : IConnectionAcceptor
{
    private readonly Channel<FakeHandler> _accepted = Channel.CreateUnbounded<FakeHandler>();

    public ConcurrentBag<FakeHandler> All { get; } = [];

    /// <summary>Prepares a handler before the transport sees it.</summary>
    public Action<FakeHandler> Configure { get; set; } = static _ => { };

    public IConnectionHandler Accept(TransportConnection connection)
    {
        var handler = new FakeHandler(connection);
        Configure(handler);
        All.Add(handler);
        _accepted.Writer.TryWrite(handler);
        return handler;
    }

    public async Task<FakeHandler> NextAsync() => await _accepted.Reader.ReadAsync().AsTask().InTime();

    public bool TryNext(out FakeHandler? handler) => _accepted.Reader.TryRead(out handler);
}
