using Im.Users;

namespace Im.ClusterTests.Node;

/// <summary>FOR TESTS ONLY: the token is the user's id, and whoever is named exists.</summary>
internal sealed class TokenUsers : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(request.Token.Length > 0 ? AuthenticationResult.Success(request.Token) : AuthenticationResult.BadToken());

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Select(userId => new ImUser(userId))]);
}
