namespace Im.Users;

/// <summary>The host's users: the only thing that a host must write.</summary>
/// <remarks>
/// Registered with <c>AddUserProvider&lt;T&gt;()</c> as a scoped service: a new scope for each call, so a <c>DbContext</c> can be injected. Methods may
/// be called from many threads at once. An exception is logged and the client is told to try again later; it never signs anybody in.
/// </remarks>
public interface IUserProvider
{
    /// <summary>Says whose token this is, or refuses. Nobody is signed in but by the answer of this method.</summary>
    ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken);

    /// <summary>
    /// Which of the given ids are users, with what the host wants to tell about them. Ids that are left out are unknown: nothing can be sent to
    /// them and they cannot join groups. Order does not matter.
    /// </summary>
    ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken);
}
