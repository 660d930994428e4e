namespace Im.LoadGenerator;

/// <summary>The run could not go on: the server is gone, refuses clients or stands still.</summary>
internal sealed class RunFailedException(string message) : Exception(message);
