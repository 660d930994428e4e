namespace Im.Storage;

/// <summary>A store could not do what it was asked. The driver's exception is inside.</summary>
public sealed class ImStorageException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ImStorageException(string message, Exception? innerException = null, ImStorageFailure failure = ImStorageFailure.Unavailable)
        : base(message, innerException)
        => Failure = failure;

    /// <summary>What kind of failure it is: whether trying again can help, and whether anything may have been stored.</summary>
    public ImStorageFailure Failure { get; }
}
