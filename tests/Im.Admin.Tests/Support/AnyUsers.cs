using Im.Users;

namespace Im.Admin.Tests.Support;

/// <summary>Every user exists, but for those whose ids begin with "nobody"; a token is its user's id.</summary>
public sealed class AnyUsers : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
        new(AuthenticationResult.Success(request.Token));

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        new([.. userIds.Where(id => !id.StartsWith("nobody", StringComparison.Ordinal)).Select(id => new ImUser(id))]);
}
