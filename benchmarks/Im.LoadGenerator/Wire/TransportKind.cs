namespace Im.LoadGenerator.Wire;

/// <summary>How packets travel.</summary>
internal enum TransportKind
{
    /// <summary>Length-prefixed protobuf over TCP.</summary>
    Tcp,

    /// <summary>Protobuf in binary WebSocket messages.</summary>
    Ws,

    /// <summary>JSON in WebSocket text messages.</summary>
    WsJson,
}
