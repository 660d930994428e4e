using System.Security.Claims;

namespace Im.Sample.Chat.Accounts;

internal static class PrincipalExtensions
{
    /// <summary>The claim that names the sign-in.</summary>
    public const string SignInClaim = "sign-in";

    /// <summary>The signed-in user's id; throws where nobody is signed in.</summary>
    public static string UserId(this ClaimsPrincipal principal) =>
        principal.FindFirstValue(ClaimTypes.NameIdentifier) ?? throw new InvalidOperationException("Nobody is signed in.");

    /// <summary>Which sign-in the cookie is of; empty for a cookie that names none.</summary>
    public static string SignInId(this ClaimsPrincipal principal) => principal.FindFirstValue(SignInClaim) ?? "";
}
