using Im.Users;

namespace Im.Benchmarks;

/// <summary>Everybody is a user; the token is the id.</summary>
internal sealed class AnyUser : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(AuthenticationResult.Success(request.Token));

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Select(userId => new ImUser(userId))]);
}
