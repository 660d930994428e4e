namespace Im.Cluster;

/// <summary>Is told what the directory said of sessions: presence lives on it. Called in no particular order of users; must not block or throw.</summary>
internal interface ISessionObserver
{
    /// <summary>A session of this node was registered, at a sign-in or again.</summary>
    void Registered(DirectorySession session, Registration registration);

    /// <summary>A session of this node is over; <see cref="Removed"/> follows, also where it could not be removed.</summary>
    void Ending(DirectorySession session);

    /// <summary>A session of this node, or of a dead one, was removed, or, of this node, was not there any more.</summary>
    void Removed(DirectorySession session, Removal removal);
}
