using System.Collections.Concurrent;
using System.Threading.Channels;
using Im.Connections;

namespace Im.Testing.Specification;

/// <summary>The core behind a transport under test: gives each connection a <see cref="SpecHandler"/>.</summary>
internal sealed class SpecCore : IConnectionAcceptor
{
    private readonly Channel<SpecHandler> _accepted = Channel.CreateUnbounded<SpecHandler>();

    public ConcurrentQueue<SpecHandler> Handlers { get; } = new();

    /// <summary>Prepares a handler before the transport sees it.</summary>
    public Action<SpecHandler> Prepare { get; set; } = static _ => { };

    public IConnectionHandler Accept(TransportConnection connection)
    {
        var handler = new SpecHandler(connection);
        Prepare(handler);
        Handlers.Enqueue(handler);
        _accepted.Writer.TryWrite(handler);
        return handler;
    }

    public Task<SpecHandler> NextAsync() => _accepted.Reader.ReadAsync().Soon();
}
