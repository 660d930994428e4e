namespace Im.Storage;

/// <summary>Why a store could not do what it was asked.</summary>
public enum ImStorageFailure
{
    /// <summary>The database cannot be reached, or gave up for now. Nothing was stored; trying again can help.</summary>
    Unavailable = 0,

    /// <summary>There is no room left. Nothing was stored; it helps when an operator makes room.</summary>
    Full = 1,

    /// <summary>The database takes no writes. Nothing was stored; it helps when an operator changes that.</summary>
    ReadOnly = 2,

    /// <summary>The database refused what it was given, and would again. Nothing was stored.</summary>
    Refused = 3,

    /// <summary>The connection was lost while committing, and the store could not find out in time whether the commit happened.</summary>
    OutcomeUnknown = 4,
}
