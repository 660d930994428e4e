using System.Security.Claims;

namespace Im.Sample.Chat.Accounts;

internal static class PrincipalExtensions
{
    /// <summary>The signed-in user's id; throws where nobody is signed in.</summary>
    public static string UserId(this ClaimsPrincipal principal) =>
        principal.FindFirstValue(ClaimTypes.NameIdentifier) ?? throw new InvalidOperationException("Nobody is signed in.");
}
