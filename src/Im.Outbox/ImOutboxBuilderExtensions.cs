using System.Data.Common;
using Im.Outbox;
using Im.Outbox.Internal;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the outbox.</summary>
public static class ImOutboxBuilderExtensions
{
    /// <summary>
    /// Adds <see cref="IImOutbox"/>: messages that are sent inside the host's own transaction, from one table in the host's database. Can be safely
    /// called multiple times; the last data source counts.
    /// </summary>
    /// <param name="builder">What <c>AddImServer</c> returned.</param>
    /// <param name="dataSource">The host's database; the host stays its owner. The relay uses one connection of it.</param>
    /// <param name="configure">Table, intervals and limits. Delegates of several calls all apply, in order.</param>
    public static IImServerBuilder AddImOutbox(this IImServerBuilder builder, DbDataSource dataSource, Action<ImOutboxOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(dataSource);
        builder.Services.Replace(ServiceDescriptor.Singleton(new OutboxDataSource(dataSource)));
        return builder.AddImOutbox(configure);
    }

    /// <summary>Adds <see cref="IImOutbox"/> on the <see cref="DbDataSource"/> of the host's services. Can be safely called multiple times.</summary>
    /// <param name="builder">What <c>AddImServer</c> returned.</param>
    /// <param name="configure">Table, intervals and limits. Delegates of several calls all apply, in order.</param>
    public static IImServerBuilder AddImOutbox(this IImServerBuilder builder, Action<ImOutboxOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        var options = services.AddOptions<ImOutboxOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ImOutboxOptions>, ImOutboxOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new OutboxDataSource(provider.GetService<DbDataSource>() ?? throw new InvalidOperationException(
            "The outbox has no database. Hand it over with AddImOutbox(dataSource), or register one: "
            + "builder.Services.AddSingleton<DbDataSource>(MySqlClientFactory.Instance.CreateDataSource(connectionString));")));
        services.TryAddSingleton<OutboxMetrics>();
        services.TryAddSingleton<WakeUp>();
        services.TryAddSingleton<OutboxIds>();
        services.TryAddSingleton<OutboxTable>();
        services.TryAddSingleton<OutboxDatabase>();
        services.TryAddSingleton<OutboxStatus>();
        services.TryAddSingleton<RelayLease>();
        services.TryAddSingleton<HeldBack>();
        services.TryAddSingleton<OutboxSender>();
        services.TryAddSingleton<OutboxRelay>();
        services.TryAddSingleton<IImOutbox, TransactionalOutbox>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, OutboxHost>());
        return builder;
    }
}
