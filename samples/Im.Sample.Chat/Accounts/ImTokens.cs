using System.Security.Cryptography;
using Im.Sample.Chat.Hosting;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;

namespace Im.Sample.Chat.Accounts;

/// <summary>Short-lived tokens that let a native client in over TCP, where there is no cookie.</summary>
internal sealed class ImTokens(IDataProtectionProvider protection, IOptions<ChatOptions> options, TimeProvider time)
{
    private readonly ITimeLimitedDataProtector _protector = protection.CreateProtector("Im.Sample.Chat.Token.v2").ToTimeLimitedDataProtector();

    public ImToken Create(string userId, string signInId)
    {
        var expires = time.GetUtcNow() + options.Value.TokenLifetime;
        return new ImToken(_protector.Protect(signInId + " " + userId, expires), expires.ToUnixTimeMilliseconds());
    }

    /// <summary>Whose token it is, of which sign-in and until when; null if it is none of ours or has expired.</summary>
    public (string UserId, string SignInId, DateTimeOffset ExpiresAt)? Read(string token)
    {
        try
        {
            var parts = _protector.Unprotect(token, out var expires).Split(' ', 2);
            return (parts[1], parts[0], expires);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
