using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Im.Connections;
using Im.Protocol;

namespace Im.Testing.Specification;

/// <summary>The core's end of a connection: keeps what it received, writes what is queued, and notes every broken rule of the contract.</summary>
internal sealed class SpecHandler(TransportConnection connection) : IConnectionHandler
{
    [ThreadStatic]
    private static SpecHandler? s_calling;

    private readonly ConcurrentQueue<ReadOnlyMemory<byte>> _queue = new();
    private readonly TaskCompletionSource<Exception?> _disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<(ImCloseCode, string)> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _receiving;
    private int _writing;
    private int _ended;

    public TransportConnection Connection => connection;

    public ConcurrentQueue<string> BrokenRules { get; } = new();

    public ConcurrentQueue<byte[]> Received { get; } = new();

    /// <summary>What the transport could not make packets of.</summary>
    public Task<(ImCloseCode Code, string Reason)> Failure => _failed.Task;

    public Task<Exception?> Disconnection => _disconnected.Task;

    public int Writes { get; private set; }

    public int MaxPacketBytes { get; set; } = 1024 * 1024;

    /// <summary>What to do with a packet; the result goes to the transport.</summary>
    public Func<SpecHandler, byte[], bool> OnReceive { get; set; } = static (handler, packet) =>
    {
        handler.Received.Enqueue(packet);
        return true;
    };

    /// <summary>In place of the queue: writes by itself and says whether there is more.</summary>
    public Func<IPacketWriter, bool>? OnWriteTo { get; set; }

    public int Queued => _queue.Count;

    public static bool Echo(SpecHandler handler, byte[] packet)
    {
        handler.Send(packet);
        return true;
    }

    public void Enqueue(ReadOnlyMemory<byte> packet) => _queue.Enqueue(packet);

    public void RequestWrite()
    {
        var outer = s_calling;
        s_calling = this;
        connection.RequestWrite();
        s_calling = outer;
    }

    public void Send(ReadOnlyMemory<byte> packet)
    {
        Enqueue(packet);
        RequestWrite();
    }

    public bool Receive(in ReadOnlySequence<byte> packet)
    {
        Enter(ref _receiving, "Receive");
        try
        {
            return OnReceive(this, packet.ToArray());
        }
        finally
        {
            Leave(ref _receiving, "Receive");
        }
    }

    public void ReceiveFailed(ImCloseCode code, string reason)
    {
        Enter(ref _receiving, "ReceiveFailed");
        if (!_failed.TrySetResult((code, reason)))
        {
            BrokenRules.Enqueue("ReceiveFailed came twice");
        }

        Enqueue(Encoding.UTF8.GetBytes($"closed: {code}"));
        connection.Close(code, reason);
        Leave(ref _receiving, "ReceiveFailed");
    }

    public bool WriteTo(IPacketWriter writer)
    {
        if (s_calling == this)
        {
            BrokenRules.Enqueue("WriteTo ran inside of RequestWrite");
        }

        Enter(ref _writing, "WriteTo");
        try
        {
            Writes++;
            return OnWriteTo?.Invoke(writer) ?? Drain(writer);
        }
        finally
        {
            Leave(ref _writing, "WriteTo");
        }
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

            // Some bytes of its own, some that others share, as the core writes.
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
