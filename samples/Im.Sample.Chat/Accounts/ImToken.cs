namespace Im.Sample.Chat.Accounts;

/// <summary>The answer of <c>POST /api/token</c>.</summary>
internal sealed record ImToken(string Token, long ExpiresAtMs);
