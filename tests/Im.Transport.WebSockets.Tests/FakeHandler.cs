using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using Im.Connections;
using Im.Protocol;

namespace Im.Transport.WebSockets.Tests;

/// <summary>The core's end of one connection: an outbound queue, what was received, and every breach of the seam's rules.</summary>
internal sealed class FakeHandler(TransportConnection connection) : IConnectionHandler
{
    private readonly ConcurrentQueue<(ReadOnlyMemory<byte> Own, ReadOnlyMemory<byte> Shared)> _queue = new();
    private readonly Channel<byte[]> _received = Channel.CreateUnbounded<byte[]>();
    private readonly TaskCompletionSource<Exception?> _disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<(ImCloseCode Code, string Reason)> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _reading;
    private int _writing;
    private int _gone;
    private int _queuedBytes;

    public TransportConnection Connection { get; } = connection;

    public int MaxPacketBytes { get; set; } = 64 * 1024;

    /// <summary>Decides what <see cref="Receive"/> answers; null keeps the packet for <see cref="NextAsync"/> and answers true.</summary>
    public Func<FakeHandler, byte[], bool>? OnPacket { get; set; }

    /// <summary>What a core sends before it closes after bad input.</summary>
    public byte[]? LastPacket { get; set; }

    public ConcurrentQueue<string> Breaches { get; } = new();

    public int QueuedBytes => Volatile.Read(ref _queuedBytes);

    public int WriteCalls { get; private set; }

    public Task<Exception?> Disconnection => _disconnected.Task.InTime();

    public Task<(ImCloseCode Code, string Reason)> Failure => _failed.Task.InTime();

    public bool HasFailed => _failed.Task.IsCompleted;

    public async Task<byte[]> NextAsync() => await _received.Reader.ReadAsync().AsTask().InTime();

    public bool TryNext(out byte[]? packet) => _received.Reader.TryRead(out packet);

    public void Send(ReadOnlyMemory<byte> own, ReadOnlyMemory<byte> shared = default)
    {
        Enqueue(own, shared);
        Connection.RequestWrite();
    }

    public void Enqueue(ReadOnlyMemory<byte> own, ReadOnlyMemory<byte> shared = default)
    {
        Interlocked.Add(ref _queuedBytes, own.Length + shared.Length);
        _queue.Enqueue((own, shared));
    }

    public bool Receive(in ReadOnlySequence<byte> packet)
    {
        Enter(ref _reading, nameof(Receive));
        try
        {
            var bytes = packet.ToArray();
            var goOn = OnPacket?.Invoke(this, bytes) ?? true;
            _received.Writer.TryWrite(bytes);
            return goOn;
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    public void ReceiveFailed(ImCloseCode code, string reason)
    {
        Enter(ref _reading, nameof(ReceiveFailed));
        if (!_failed.TrySetResult((code, reason)))
        {
            Breaches.Enqueue("ReceiveFailed twice");
        }

        if (LastPacket is { } last)
        {
            Send(last);
        }

        Connection.Close(code, reason);
    }

    public bool WriteTo(IPacketWriter writer)
    {
        Enter(ref _writing, nameof(WriteTo));
        WriteCalls++;
        while (!writer.IsFull && _queue.TryDequeue(out var packet))
        {
            writer.BeginPacket(packet.Own.Length + packet.Shared.Length);
            writer.Write(packet.Own.Span);
            writer.WriteShared(packet.Shared);
            writer.EndPacket();
            Interlocked.Add(ref _queuedBytes, -packet.Own.Length - packet.Shared.Length);
        }

        Volatile.Write(ref _writing, 0);
        return !_queue.IsEmpty;
    }

    public void Disconnected(Exception? error)
    {
        if (Interlocked.Exchange(ref _gone, 1) != 0 || (Volatile.Read(ref _reading) == 1 && !HasFailed) || Volatile.Read(ref _writing) == 1)
        {
            Breaches.Enqueue("Disconnected twice or during another call");
        }

        _disconnected.TrySetResult(error);
    }

    private void Enter(ref int flag, string call)
    {
        // After ReceiveFailed the flag stays up: nothing may be read any more.
        if (Interlocked.Exchange(ref flag, 1) != 0)
        {
            Breaches.Enqueue($"{call} beside or after another");
        }

        if (Volatile.Read(ref _gone) != 0)
        {
            Breaches.Enqueue($"{call} after Disconnected");
        }
    }
}
