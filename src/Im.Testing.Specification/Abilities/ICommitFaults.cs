namespace Im.Testing.Specification;

/// <summary>An ability of a storage fixture: losing the connection to the database in the middle of a commit.</summary>
/// <remarks>A fixture implements it beside <see cref="IStorageFixture"/>; without it the facts about ambiguous commits are skipped, visibly.</remarks>
public interface ICommitFaults
{
    /// <summary>
    /// The next commit of an append, by any open store, fails as if the connection were lost while committing. Only that one: a try after it works.
    /// </summary>
    void FailNextCommit(CommitFault fault);
}

/// <summary>When the connection is lost.</summary>
public enum CommitFault
{
    /// <summary>The database has not committed and will not.</summary>
    BeforeItHappens,

    /// <summary>The database has committed; only its answer is lost.</summary>
    AfterItHappened,
}
