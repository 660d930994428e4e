using System.Collections.Concurrent;

namespace Im.Testing;

/// <summary>The users of a test host: everybody exists, and a token is its user's id, unless the test says otherwise.</summary>
/// <remarks>It is not asked once the host has its own provider: <c>ImTestHost.StartAsync(im =&gt; im.AddUserProvider&lt;Mine&gt;())</c>.</remarks>
public sealed class ImTestUsers
{
    private readonly ConcurrentDictionary<string, bool> _unknown = new(StringComparer.Ordinal);

    /// <summary>How long a token is valid from its sign-in on, by the host's clock.</summary>
    /// <value>Null: for ever.</value>
    public TimeSpan? TokenLifetime { get; set; }

    /// <summary>This user does not exist: cannot sign in, cannot be sent to. Users that the server has met are remembered by it.</summary>
    public void Remove(string userId) => _unknown[userId] = true;

    internal bool Exists(string userId) => userId.Length > 0 && !_unknown.ContainsKey(userId);
}
