namespace Im;

/// <summary>Background work of the server, from its start until it stops. One that ends with an exception stops the application.</summary>
internal interface IServerLoop
{
    /// <summary>For the log.</summary>
    string Name { get; }

    /// <summary>Works until the token is cancelled.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
