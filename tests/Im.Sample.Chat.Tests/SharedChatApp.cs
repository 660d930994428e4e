namespace Im.Sample.Chat.Tests;

/// <summary>One running sample for all tests of a class that do not restart it.</summary>
public sealed class SharedChatApp : IAsyncLifetime
{
    internal ChatApp App { get; } = new();

    public Task InitializeAsync() => App.StartAsync();

    public Task DisposeAsync() => App.DisposeAsync().AsTask();
}
