namespace Im.LocalServers;

/// <summary>A server could not be started; the message says what is missing or ends with the server's own log.</summary>
public sealed class LocalServerException(string message, Exception? innerException = null) : Exception(message, innerException);
