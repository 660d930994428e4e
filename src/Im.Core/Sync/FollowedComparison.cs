namespace Im.Sync;

/// <summary>Whether a session follows the conversations that it should.</summary>
internal enum FollowedComparison
{
    /// <summary>It does.</summary>
    Same,

    /// <summary>It does not.</summary>
    Different,

    /// <summary>Something changed while the store was asked.</summary>
    Changed,

    /// <summary>The session is over.</summary>
    Over,
}
