namespace Im.Cluster;

/// <summary>Is told what the directory said of sessions: presence lives on it. Called in no particular order of users; must not block or throw.</summary>
internal interface ISessionObserver
{
    /// <summary>A session of this node was registered, at a sign-in or again.</summary>
    void Registered(DirectorySession session, Registration registration);

    /// <summary>A session of this node, or of a dead one, was removed.</summary>
    void Removed(DirectorySession session, Removal removal);
}
