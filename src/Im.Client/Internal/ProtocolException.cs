namespace Im.Client.Internal;

/// <summary>The server sent what the protocol does not allow; the connection ends and the next one starts from the cursors.</summary>
internal sealed class ProtocolException(string message, Exception? inner = null) : Exception(message, inner);
