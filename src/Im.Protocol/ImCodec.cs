namespace Im.Protocol;

/// <summary>How packets are written on one connection.</summary>
public enum ImCodec
{
    /// <summary>Protobuf, the packets of <c>im.proto</c>.</summary>
    Protobuf = 0,

    /// <summary>The same packets in proto3's JSON mapping.</summary>
    Json = 1,
}
