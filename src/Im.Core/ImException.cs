using Im.Protocol;

namespace Im;

/// <summary>The server refused what was asked of it; <see cref="Code"/> is what a client would have been told.</summary>
public sealed class ImException : Exception
{
    /// <summary>Creates the exception.</summary>
    public ImException(ImErrorCode code, string message, Exception? innerException = null)
        : base(message, innerException) => Code = code;

    /// <summary>Why.</summary>
    public ImErrorCode Code { get; }
}
