using Im.Users;

namespace Im.Outbox.Tests.Support;

/// <summary>Everybody exists but those whose name begins with "nobody".</summary>
internal sealed class AnyUsers : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(AuthenticationResult.BadToken());

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ImUser>>(
            [.. userIds.Where(userId => !userId.StartsWith("nobody", StringComparison.Ordinal)).Select(userId => new ImUser(userId))]);
}
