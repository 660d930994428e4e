namespace Im.Client;

/// <summary>The server's answer to a message to a room.</summary>
/// <param name="Seq">The message's seq in its priority.</param>
/// <param name="Time">When the server took it.</param>
public sealed record ImRoomAck(long Seq, DateTimeOffset Time);
