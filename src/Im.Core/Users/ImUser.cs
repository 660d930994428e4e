namespace Im.Users;

/// <summary>One of the host's users.</summary>
/// <param name="Id">The host's id: 1–64 bytes of UTF-8, no control characters, not beginning with <c>$</c>; compared byte by byte.</param>
public sealed record ImUser(string Id);
