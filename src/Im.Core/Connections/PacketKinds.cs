using Im.Protocol;

namespace Im.Connections;

/// <summary>The packets' names as metric tags.</summary>
internal static class PacketKinds
{
    public static string GetName(ClientPacket.PacketOneofCase kind) => kind switch
    {
        ClientPacket.PacketOneofCase.SignIn => "sign_in",
        ClientPacket.PacketOneofCase.RefreshToken => "refresh_token",
        ClientPacket.PacketOneofCase.Ping => "ping",
        ClientPacket.PacketOneofCase.Send => "send",
        ClientPacket.PacketOneofCase.Sync => "sync",
        ClientPacket.PacketOneofCase.DeviceAck => "device_ack",
        ClientPacket.PacketOneofCase.MarkRead => "mark_read",
        ClientPacket.PacketOneofCase.SubscribeRoom => "subscribe_room",
        ClientPacket.PacketOneofCase.LeaveRoom => "leave_room",
        ClientPacket.PacketOneofCase.SendToRoom => "send_to_room",
        ClientPacket.PacketOneofCase.SubscribePresence => "subscribe_presence",
        ClientPacket.PacketOneofCase.UnsubscribePresence => "unsubscribe_presence",
        ClientPacket.PacketOneofCase.SendSignal => "send_signal",
        _ => "unknown",
    };
}
