namespace Im.ClusterTests.Node;

/// <summary>A message of the host; the text is its id too.</summary>
internal sealed record HostSend(string SenderId, string ToUserId, string Text);
