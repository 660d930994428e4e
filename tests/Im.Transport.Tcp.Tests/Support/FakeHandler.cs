using System.Buffers;
using System.Collections.Concurrent;
using Im.Connections;
using Im.Protocol;

namespace Im.Transport.Tcp.Tests.Support;

/// <summary>The core's end: keeps what it received, writes what is queued, and notes every broken rule of the contract.</summary>
internal class FakeHandler(TransportConnection connection) : IConnectionHandler
{
    private readonly ConcurrentQueue<ReadOnlyMemory<byte>> _queue = new();
    private readonly TaskCompletionSource<Exception?> _disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _receiving;
    private int _writing;
    private int _ended;

    public TransportConnection Connection => connection;

    public ConcurrentQueue<string> BrokenRules { get; } = new();

    public ConcurrentQueue<byte[]> Received { get; } = new();

    public (ImCloseCode Code, string Reason)? Failure { get; private set; }

    public Task<Exception?> Disconnection => _disconnected.Task;

    public int Writes { get; private set; }

    public int MaxPacketBytes { get; set; } = 1024 * 1024;

    /// <summary>What to do with a packet; the result goes to the transport.</summary>
    public Func<FakeHandler, byte[], bool> OnReceive { get; set; } = (handler, packet) =>
    {
        handler.Received.Enqueue(packet);
        return true;
    };

    /// <summary>Asked before the queue: writes by itself and says whether there is more.</summary>
    public Func<IPacketWriter, bool>? OnWriteTo { get; set; }

    public int Queued => _queue.Count;

    public void Enqueue(ReadOnlyMemory<byte> packet) => _queue.Enqueue(packet);

    public void Send(ReadOnlyMemory<byte> packet)
    {
        Enqueue(packet);
        connection.RequestWrite();
    }

    public bool Receive(in ReadOnlySequence<byte> packet)
    {
        Enter(ref _receiving, "Receive");
        var goOn = OnReceive(this, packet.ToArray());
        Leave(ref _receiving, "Receive");
        return goOn;
    }

    public void ReceiveFailed(ImCloseCode code, string reason)
    {
        Enter(ref _receiving, "ReceiveFailed");
        Failure = (code, reason);
        Enqueue("closed: "u8.ToArray().Concat(System.Text.Encoding.UTF8.GetBytes(code.ToString())).ToArray());
        connection.Close(code, reason);
        Leave(ref _receiving, "ReceiveFailed");
    }

    public bool WriteTo(IPacketWriter writer)
    {
        Enter(ref _writing, "WriteTo");
        Writes++;
        var more = OnWriteTo?.Invoke(writer) ?? Drain(writer);
        Leave(ref _writing, "WriteTo");
        return more;
    }

    public void Disconnected(Exception? error)
    {
        if (Interlocked.Increment(ref _ended) != 1)
        {
            BrokenRules.Enqueue("Disconnected came twice");
        }

        if (Volatile.Read(ref _receiving) != 0 || Volatile.Read(ref _writing) != 0)
        {
            BrokenRules.Enqueue("Disconnected came while another call ran");
        }

        _disconnected.TrySetResult(error);
    }

    private bool Drain(IPacketWriter writer)
    {
        while (_queue.TryPeek(out var packet))
        {
            if (writer.IsFull)
            {
                return true;
            }

            _queue.TryDequeue(out _);
            var own = Math.Min(3, packet.Length);
            writer.BeginPacket(packet.Length);
            writer.Write(packet.Span[..own]);
            writer.WriteShared(packet[own..]);
            writer.EndPacket();
        }

        return false;
    }

    private void Enter(ref int running, string call)
    {
        if (Interlocked.Increment(ref running) != 1)
        {
            BrokenRules.Enqueue($"{call} ran twice at once");
        }

        if (Volatile.Read(ref _ended) != 0)
        {
            BrokenRules.Enqueue($"{call} came after Disconnected");
        }
    }

    private void Leave(ref int running, string call)
    {
        Interlocked.Decrement(ref running);
        if (Volatile.Read(ref _ended) != 0)
        {
            BrokenRules.Enqueue($"{call} ran into Disconnected");
        }
    }
}
