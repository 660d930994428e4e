using Im.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.Support;

/// <summary>Retention without waiting for it.</summary>
internal static class RetentionExtensions
{
    /// <summary>Forgets everything that is past these limits.</summary>
    public static async Task ExpireAsync(this TestServer server, RetentionLimits limits)
    {
        var store = server.Services.GetRequiredService<IRetentionStore>();
        string? next = null;
        do
        {
            next = (await store.ExpireConversationsAsync(next, limits, 100, default)).Next;
        }
        while (next is not null);
        do
        {
            next = (await store.ExpireInboxesAsync(next, limits, 100, default)).Next;
        }
        while (next is not null);
    }
}
