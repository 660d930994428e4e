using System.Security.Claims;
using System.Security.Cryptography;
using Im.Protocol;
using Im.Sample.Chat.Data;
using Im.Sample.Chat.Hosting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Identity;

namespace Im.Sample.Chat.Accounts;

/// <summary>Register, sign in, sign out, who am I, and the token for native clients.</summary>
internal static class AccountEndpoints
{
    // Clients that are told 4000 sign out too: the close codes from 4000 on are the host's.
    private const ImCloseCode SignedOut = ImCloseCode.FirstHostCode;

    public static void MapAccounts(this IEndpointRouteBuilder app)
    {
        var open = app.MapGroup("/api").AllowAnonymous().RequireRateLimiting(RateLimits.SignIn);
        open.MapPost("/register", Register);
        open.MapPost("/login", SignIn);

        // Anonymous too, so that a page without a cookie gets a plain answer rather than an error.
        app.MapGet("/api/me", Me).AllowAnonymous();
        app.MapPost("/api/logout", SignOut);
        app.MapPost("/api/token", (ClaimsPrincipal user, ImTokens tokens) => Results.Json(tokens.Create(user.UserId(), user.SignInId())));
    }

    private static async Task<IResult> Register(
        RegisterRequest request, UserTable users, IPasswordHasher<ChatUser> hasher, SignInTable signIns, HttpContext context)
    {
        var name = request.Name?.Trim() ?? "";
        var displayName = string.IsNullOrWhiteSpace(request.DisplayName) ? name : request.DisplayName.Trim();
        var wrong = AccountRules.CheckName(name) ?? AccountRules.CheckDisplayName(displayName) ?? AccountRules.CheckPassword(request.Password, name);
        if (wrong is not null)
        {
            return Problem.Bad(wrong);
        }

        var user = new ChatUser("u" + RandomNumberGenerator.GetHexString(16, lowercase: true), name, displayName, "");
        user = user with { PasswordHash = hasher.HashPassword(user, request.Password!) };
        if (!users.TryAdd(user))
        {
            return Problem.Of(StatusCodes.Status409Conflict, "This user name is taken.");
        }

        await SetCookie(context, user, signIns);
        return Results.Json(View(user));
    }

    private static async Task<IResult> SignIn(
        SignInRequest request, UserTable users, IPasswordHasher<ChatUser> hasher, DummyPassword dummy, SignInTable signIns, HttpContext context)
    {
        var user = users.FindByName(request.Name?.Trim() ?? "");
        var password = request.Password is { Length: <= 128 } given ? given : "";

        // An unknown name costs as much time as a wrong password.
        var result = hasher.VerifyHashedPassword(user ?? dummy.User, (user ?? dummy.User).PasswordHash, password);
        if (user is null || result == PasswordVerificationResult.Failed)
        {
            return Problem.Of(StatusCodes.Status401Unauthorized, "User name or password is wrong.");
        }

        if (result == PasswordVerificationResult.SuccessRehashNeeded)
        {
            users.SetPasswordHash(user.Id, hasher.HashPassword(user, password));
        }

        await SetCookie(context, user, signIns);
        return Results.Json(View(user));
    }

    private static async Task<IResult> SignOut(SignOutRequest request, HttpContext context, SignInTable signIns, IImServer im)
    {
        var userId = context.User.UserId();
        await context.SignOutAsync();

        // First the sign-in, so that its cookie and its tokens let nobody in any more; then the connections that they opened. The client may hang up
        // meanwhile: nothing is cancelled.
        if (request.Everywhere)
        {
            signIns.EndAll(userId);
            await im.Sessions.DisconnectAsync(userId, null, SignedOut, "signed out", CancellationToken.None);
            return Results.Json(new { });
        }

        foreach (var device in signIns.End(context.User.SignInId(), userId))
        {
            await im.Sessions.DisconnectAsync(userId, device, SignedOut, "signed out", CancellationToken.None);
        }

        return Results.Json(new { });
    }

    private static IResult Me(ClaimsPrincipal principal, UserTable users) =>
        principal.Identity?.IsAuthenticated == true && users.FindById(principal.UserId()) is { } user
            ? Results.Json(View(user))
            : Results.Json<UserView?>(null);

    private static Task SetCookie(HttpContext context, ChatUser user, SignInTable signIns)
    {
        var signInId = RandomNumberGenerator.GetHexString(32, lowercase: true);
        signIns.Add(signInId, user.Id);
        var identity = new ClaimsIdentity(
            [new Claim(ClaimTypes.NameIdentifier, user.Id), new Claim(ClaimTypes.Name, user.Name), new Claim(PrincipalExtensions.SignInClaim, signInId)],
            CookieAuthenticationDefaults.AuthenticationScheme);
        return context.SignInAsync(new ClaimsPrincipal(identity), new AuthenticationProperties { IsPersistent = true });
    }

    private static UserView View(ChatUser user) => new(user.Id, user.Name, user.DisplayName);

    private sealed record RegisterRequest(string? Name, string? DisplayName, string? Password);

    private sealed record SignInRequest(string? Name, string? Password);

    private sealed record SignOutRequest(bool Everywhere);

    private sealed record UserView(string Id, string Name, string DisplayName);
}
