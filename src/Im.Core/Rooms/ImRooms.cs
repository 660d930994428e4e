using System.Text.Json;
using Google.Protobuf;
using Im.Cluster;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Microsoft.Extensions.Options;

namespace Im.Rooms;

/// <summary>The host's view of rooms.</summary>
internal sealed class ImRooms(
    RoomPublisher publisher,
    ClusterRequests requests,
    ClusterState cluster,
    TimeProvider time,
    IOptions<ImServerOptions> serverOptions,
    IOptions<ImRoomOptions> options) : IImRooms
{
    public async ValueTask<RoomPosition> SendAsync(
        string roomId, OutgoingRoomMessage message, RoomPriority priority = RoomPriority.Normal, CancellationToken cancellationToken = default)
    {
        RoomRules.CheckId(roomId, options.Value.MaxRoomIdBytes);
        return await await SubmitAsync(roomId, Encode(message), RoomRules.CheckPriority(priority), cancellationToken);
    }

    public async ValueTask<IReadOnlyList<RoomPosition>> SendAsync(
        string roomId,
        IReadOnlyList<OutgoingRoomMessage> messages,
        RoomPriority priority = RoomPriority.Normal,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        RoomRules.CheckId(roomId, options.Value.MaxRoomIdBytes);
        priority = RoomRules.CheckPriority(priority);

        // All are checked before the first goes.
        var encoded = messages.Select(Encode).ToArray();
        var pending = new Task<RoomPosition>[encoded.Length];
        for (var i = 0; i < encoded.Length; i++)
        {
            pending[i] = await SubmitAsync(roomId, encoded[i], priority, cancellationToken);
        }

        return await Task.WhenAll(pending).WaitAsync(cancellationToken);
    }

    public async ValueTask<int> CountSubscribersAsync(string roomId, CancellationToken cancellationToken = default)
    {
        RoomRules.CheckId(roomId, options.Value.MaxRoomIdBytes);
        var (count, silent) = await AskAllAsync(CountRoomSubscribers.OperationName, new RoomQuestion(roomId), cancellationToken);
        return silent.Length == 0
            ? count
            : throw new ImException(ImErrorCode.ClusterUnavailable, $"{count} connections subscribe to the room, but {silent}. Try again.");
    }

    public async ValueTask<int> RemoveAsync(string roomId, string? userId = null, CancellationToken cancellationToken = default)
    {
        RoomRules.CheckId(roomId, options.Value.MaxRoomIdBytes);
        var (count, silent) = await AskAllAsync(RemoveRoomSubscribers.OperationName, new RoomQuestion(roomId, userId), cancellationToken);
        return silent.Length == 0
            ? count
            : throw new ImException(ImErrorCode.ClusterUnavailable, $"{count} subscriptions were ended, but {silent}. Try again.");
    }

    // The sum of the nodes' answers, and who is missing in it.
    private async ValueTask<(int Count, string Silent)> AskAllAsync(string operation, RoomQuestion question, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(question, RoomJson.Default.RoomQuestion);
        var answers = await requests.AskAllAsync(operation, body, cancellationToken);
        var count = answers.Sum(one => one.Answer is null ? 0 : JsonSerializer.Deserialize(one.Answer, RoomJson.Default.Int32));
        var silent = string.Join(", ", answers.Where(one => one.Answer is null).Select(one => one.Node.Name));
        if (silent.Length > 0)
        {
            return (count, $"these nodes did not answer, or could not (the log says why): {silent}");
        }

        // Not joined yet: whoever else lives is not known.
        return (count, cluster is { MayHavePeers: true, View.Epoch: 0 } ? "this node does not know the others yet" : "");
    }

    private async ValueTask<Task<RoomPosition>> SubmitAsync(string roomId, byte[] bytes, RoomPriority priority, CancellationToken cancellationToken)
    {
        var message = new HostRoomMessage(bytes);
        await publisher.SubmitAsync(roomId, priority, message, cancellationToken);
        return message.Done.WaitAsync(cancellationToken);
    }

    private byte[] Encode(OutgoingRoomMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (!Ids.IsUserId(message.SenderId) && !Ids.IsSystemSender(message.SenderId))
        {
            throw new ImException(
                ImErrorCode.InvalidArgument, $"senderId must be a user's id or a system sender's name ($…) of at most {Ids.MaxBytes} bytes without control characters.");
        }

        var content = ContentMapping.ToWire(message.Content);
        RoomRules.CheckMessage(message.ClientMessageId, content, serverOptions.Value.MaxBodyBytes);
        return new RoomMessage
        {
            SenderId = message.SenderId,
            ClientMessageId = message.ClientMessageId,
            TimeMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            Content = content,
        }.ToByteArray();
    }
}
