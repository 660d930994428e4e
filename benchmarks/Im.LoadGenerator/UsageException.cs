namespace Im.LoadGenerator;

/// <summary>What the user can fix; the message says how.</summary>
internal sealed class UsageException(string message) : Exception(message);
