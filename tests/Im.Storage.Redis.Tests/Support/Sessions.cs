using Im.Cluster;

namespace Im.Storage.Redis.Tests.Support;

internal static class Sessions
{
    public static DirectorySession Of(string user, string node = "a", long epoch = 1) => new()
    {
        UserId = user,
        DeviceId = "phone",
        NodeName = node,
        Epoch = epoch,
        ConnectionId = user,
    };
}
