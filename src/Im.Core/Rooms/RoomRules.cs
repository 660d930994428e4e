using Im.Messaging;
using Im.Model;
using Im.Protocol;

namespace Im.Rooms;

/// <summary>What may be sent to which room, whoever sends it.</summary>
internal static class RoomRules
{
    public static void CheckId(string roomId, int maxBytes)
    {
        if (!Ids.IsId(roomId, maxBytes))
        {
            throw new ImException(ImErrorCode.InvalidArgument, $"roomId must be 1–{maxBytes} bytes (MaxRoomIdBytes) without control characters.");
        }
    }

    public static RoomPriority CheckPriority(RoomPriority priority) => priority switch
    {
        RoomPriority.High => priority,
        RoomPriority.Unspecified or RoomPriority.Normal => RoomPriority.Normal,
        _ => throw new ImException(ImErrorCode.InvalidArgument, "priority must be NORMAL or HIGH."),
    };

    public static void CheckMessage(string clientMessageId, Content content, int maxBodyBytes)
    {
        if (clientMessageId.Length > 0 && !Ids.IsId(clientMessageId))
        {
            throw new ImException(ImErrorCode.InvalidArgument, $"clientMessageId must be at most {Ids.MaxBytes} bytes without control characters.");
        }

        if (ContentRules.Check(content, maxBodyBytes) is { } problem)
        {
            throw new ImException(problem.Code, problem.Message);
        }
    }
}
