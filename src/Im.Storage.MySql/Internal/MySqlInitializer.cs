using Im.Storage.Relational.Stores;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Storage.MySql.Internal;

/// <summary>Prepares the database at start, unless a later <c>Use…</c> has chosen another store.</summary>
internal sealed class MySqlInitializer(IServiceProvider services, IMessageStore store) : IStorageInitializer
{
    public ValueTask InitializeAsync(CancellationToken cancellationToken)
    {
        // Made only where it is used: a data source may be missing for good reason where it is not.
        return store is RelationalMessageStore { Dialect: MySqlDialect } messages && services.GetRequiredService<MySqlStorage>() is var storage && messages.IsOver(storage.Lanes)
            ? storage.InitializeAsync(cancellationToken)
            : ValueTask.CompletedTask;
    }
}
