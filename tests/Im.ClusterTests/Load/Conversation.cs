namespace Im.ClusterTests.Load;

/// <summary>A conversation of the test: its members, and all their devices.</summary>
internal sealed class Conversation(string id, IReadOnlyList<int> users, IReadOnlyList<TestDevice> devices)
{
    public string Id { get; } = id;

    public IReadOnlyList<int> Users { get; } = users;

    public IReadOnlyList<TestDevice> Devices { get; } = devices;
}
