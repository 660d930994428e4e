using System.Security.Cryptography;
using Im.Sample.Chat.Data;
using Microsoft.AspNetCore.Identity;

namespace Im.Sample.Chat.Accounts;

/// <summary>A user whose password nobody knows: verified in place of one who does not exist, so that time tells nothing.</summary>
internal sealed class DummyPassword
{
    public DummyPassword(IPasswordHasher<ChatUser> hasher)
    {
        var user = new ChatUser("", "", "", "");
        User = user with { PasswordHash = hasher.HashPassword(user, RandomNumberGenerator.GetHexString(32)) };
    }

    public ChatUser User { get; }
}
