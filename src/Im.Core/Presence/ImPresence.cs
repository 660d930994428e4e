using Google.Protobuf;
using Im.Cluster;
using Im.Cluster.Wire;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Microsoft.Extensions.Options;

namespace Im.Presence;

/// <summary>Presence and signals as the host's code sees them.</summary>
internal sealed class ImPresence(
    PresenceReader reader, SignalSender signals, Broadcasts broadcasts, ClusterSender cluster, TimeProvider time, IOptions<ImServerOptions> options) : IImPresence
{
    public async ValueTask<IReadOnlyList<ImUserPresence>> GetAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(userIds);
        var states = await reader.ReadAsync(userIds, cancellationToken);
        return [.. states.Select(state => new ImUserPresence(state.UserId, state.IsOnline, state.DeviceTypes, state.LastSeenMs))];
    }

    public ValueTask SendSignalAsync(
        string conversationId, string senderId, string type, string data = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(conversationId);
        ArgumentNullException.ThrowIfNull(senderId);
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(data);
        return signals.SendAsync(conversationId, senderId, type, data, cancellationToken);
    }

    public ValueTask SignalAllAsync(MessageContent content, string senderId = "$system", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentNullException.ThrowIfNull(senderId);
        cancellationToken.ThrowIfCancellationRequested();
        var wire = ContentMapping.ToWire(content);
        if (ContentRules.Check(wire, options.Value.MaxBodyBytes) is { } problem)
        {
            throw new ImException(problem.Code, problem.Message);
        }

        if (!Ids.IsId(senderId))
        {
            throw new ImException(ImErrorCode.InvalidArgument, $"senderId must be 1–{Ids.MaxBytes} bytes without control characters.");
        }

        var packet = new ServerPacket
        {
            Signal = new Signal { Message = new Entry { SenderId = senderId, TimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(), Content = wire } },
        };
        broadcasts.Add(new SharedPacket(packet));
        cluster.Tell(new NodeMessage { Signals = { new SignalPush { Packet = packet.ToByteString(), Everyone = true } } });
        return default;
    }
}
