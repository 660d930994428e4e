using Im.Users;

namespace Im.Testing.Internal;

/// <summary>Answers from <see cref="ImTestUsers"/>.</summary>
internal sealed class TestUserProvider(ImTestUsers users, TimeProvider time) : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) => new(
        users.Exists(request.Token)
            ? AuthenticationResult.Success(request.Token, time.GetUtcNow() + users.TokenLifetime)
            : AuthenticationResult.BadToken("The test host knows no such user; a token is the user's id."));

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        new([.. userIds.Where(users.Exists).Select(id => new ImUser(id))]);
}
