namespace Im.Administration.Internal;

/// <summary>A call that cannot be done as it is.</summary>
internal sealed class AdminProblemException(int status, string name, string detail) : Exception(detail)
{
    public int Status => status;

    /// <summary>For programs.</summary>
    public string Name => name;

    public static AdminProblemException BadArgument(string detail) => new(400, "invalid_argument", detail);

    public static AdminProblemException NotFound(string name, string detail) => new(404, name, detail);
}
