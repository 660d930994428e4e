using Im.Users;

namespace Im.Sample.Cluster.Node;

/// <summary>FOR DEMONSTRATION ONLY: the token "alice" signs in as alice, so anybody is anybody. A real host verifies the token.</summary>
internal sealed class DemoUserProvider : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(IsName(request.Token) ? AuthenticationResult.Success(request.Token) : AuthenticationResult.BadToken());

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Where(IsName).Select(id => new ImUser(id))]);

    private static bool IsName(string text) => text.Length is > 0 and <= 32 && text.All(char.IsAsciiLetterLower);
}
