using System.Globalization;
using Im.Users;

namespace Im.ModelTests;

/// <summary>Tokens of the form "user", "user|milliseconds to live" and "user|expired"; users are those whose id begins with "u".</summary>
internal sealed class ModelUsers : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
    {
        var parts = request.Token.Split('|');
        return ValueTask.FromResult(!parts[0].StartsWith('u')
            ? AuthenticationResult.BadToken()
            : parts.Length == 1
            ? AuthenticationResult.Success(parts[0])
            : parts[1] == "expired"
                ? AuthenticationResult.Expired()
                : AuthenticationResult.Success(parts[0], DateTimeOffset.UtcNow.AddMilliseconds(int.Parse(parts[1], CultureInfo.InvariantCulture))));
    }

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Where(id => id.StartsWith('u')).Select(id => new ImUser(id))]);
}
