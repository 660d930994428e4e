namespace Im.Sample.Cluster.Tour;

/// <summary>The tour cannot go on; the message says why and what to do.</summary>
internal sealed class TourException(string message) : Exception(message);
