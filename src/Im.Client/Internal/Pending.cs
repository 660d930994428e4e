using Im.Protocol;

namespace Im.Client.Internal;

/// <summary>A send or another request that waits for its answer. Its mutable fields belong to the <see cref="Outbox"/> and its lock.</summary>
internal sealed class Pending(ClientPacket packet)
{
    private readonly TaskCompletionSource<ServerPacket> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ClientPacket Packet { get; } = packet;

    public Task<ServerPacket> Answer => _answer.Task;

    public bool IsSend => Packet.PacketCase == ClientPacket.PacketOneofCase.Send;

    /// <summary>Not repeated on another connection.</summary>
    public bool IsOnce => IsOwn || Packet.SendToRoom is not null || Packet.SendSignal is not null || (IsSend && Packet.Send.NonPersistent);

    /// <summary>The client's own, for which no application waits.</summary>
    public bool IsOwn { get; init; }

    /// <summary>The client message id of a send.</summary>
    public string? ClientMessageId => Packet.Send?.ClientMessageId ?? Packet.SendToRoom?.ClientMessageId;

    /// <summary>The place in the order of the calls.</summary>
    public long Order { get; set; }

    /// <summary>When it was asked.</summary>
    public long Since { get; set; }

    /// <summary>Whether it was written to the present connection.</summary>
    public bool IsWritten { get; set; }

    public int Refusals { get; set; }

    public long FirstRefusal { get; set; }

    public bool IsDone => _answer.Task.IsCompleted;

    public void Complete(ServerPacket packet) => _answer.TrySetResult(packet);

    public void Fail(Exception error) => _answer.TrySetException(error);

    public void Cancel(CancellationToken cancellationToken) => _answer.TrySetCanceled(cancellationToken);
}
