using System.Globalization;
using Im.Model;
using Im.Users;

namespace Im.IntegrationTests.Support;

/// <summary>
/// Every token is the name of a user, but what is no user id, and those that begin with "bad" and "expired". A semicolon and a number after
/// the name: how many milliseconds the token lives.
/// </summary>
internal sealed class TestUsers : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
    {
        var user = request.Principal?.Identity?.Name ?? request.Token;
        return ValueTask.FromResult(user switch
        {
            _ when !Ids.IsUserId(user) => AuthenticationResult.BadToken(),
            _ when user.StartsWith("bad", StringComparison.Ordinal) => AuthenticationResult.BadToken(),
            _ when user.StartsWith("expired", StringComparison.Ordinal) => AuthenticationResult.Expired(),
            _ when user.Split(';') is [var name, var life] && int.TryParse(life, CultureInfo.InvariantCulture, out var milliseconds) =>
                AuthenticationResult.Success(name, DateTimeOffset.UtcNow.AddMilliseconds(milliseconds)),
            _ => AuthenticationResult.Success(user),
        });
    }

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ImUser>>(
            [.. userIds.Where(userId => !userId.StartsWith("nobody", StringComparison.Ordinal)).Select(userId => new ImUser(userId))]);
}
