using Im.Conversations;
using Im.Model;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Im.Users;

/// <summary>Asks the host's <see cref="IUserProvider"/>, in a scope of its own for each call, and remembers users that exist.</summary>
internal sealed class UserDirectory(IServiceScopeFactory scopes, IOptions<ImServerOptions> options)
{
    private readonly BoundedCache<bool> _known = new(options.Value.MaxCachedConversations);

    public async ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var result = await scope.ServiceProvider.GetRequiredService<IUserProvider>().AuthenticateAsync(request, cancellationToken);
        if (result.UserId is not { } userId)
        {
            return result;
        }

        if (!Ids.IsUserId(userId))
        {
            // A host that takes ids from tokens must not be made to fail by them.
            return AuthenticationResult.BadToken(
                $"The user id that the host answered with is not valid: ids are 1–{Ids.MaxBytes} bytes without control characters and do not begin with '{ConversationId.SystemPrefix}'.");
        }

        _known.Set(userId, true);
        return result;
    }

    /// <summary>Those of the given ids that are no users.</summary>
    public async ValueTask<IReadOnlyList<string>> FindUnknownAsync(IReadOnlyCollection<string> userIds, CancellationToken cancellationToken)
    {
        List<string>? asked = null;
        foreach (var userId in userIds)
        {
            if (!_known.TryGet(userId, out _))
            {
                (asked ??= []).Add(userId);
            }
        }

        if (asked is null)
        {
            return [];
        }

        await using var scope = scopes.CreateAsyncScope();
        var candidates = asked.Where(Ids.IsUserId).ToArray();
        var users = await scope.ServiceProvider.GetRequiredService<IUserProvider>().GetUsersAsync(candidates, cancellationToken);
        var found = users.Select(user => user.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var userId in candidates.Where(found.Contains))
        {
            _known.Set(userId, true);
        }

        return asked.FindAll(userId => !found.Contains(userId));
    }

    /// <summary>Asks the host again the next time.</summary>
    public void Forget(string userId) => _known.Remove(userId);

    /// <summary>Whether the user is known without asking the host.</summary>
    public bool IsKnown(string userId) => _known.TryGet(userId, out _);
}
