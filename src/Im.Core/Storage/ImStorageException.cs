namespace Im.Storage;

/// <summary>A store could not do what it was asked. The driver's exception is inside.</summary>
public sealed class ImStorageException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ImStorageException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
