namespace Im.Cluster;

/// <summary>The directory or the backplane could not do what it was asked. The driver's exception is inside.</summary>
public sealed class ImClusterException(string message, Exception? innerException = null) : Exception(message, innerException);
