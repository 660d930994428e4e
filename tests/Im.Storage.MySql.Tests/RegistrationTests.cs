using System.Data.Common;
using Im.Storage.MySql.Internal;
using Im.Storage.MySql.Tests.Support;
using Im.Storage.Relational.Stores;
using Im.Testing.Specification;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Im.Storage.MySql.Tests;

/// <summary>The verb, the options and what the package refers to.</summary>
[Collection(MySqlCollection.Name)]
public sealed class RegistrationTests(MySqlServer server)
{
    [Fact]
    public void ThePackageReferencesNoDriver()
    {
        var references = typeof(ImMySqlOptions).Assembly.GetReferencedAssemblies().Select(name => name.Name!).ToList();
        Assert.Contains("System.Data.Common", references);
        Assert.All(references, name => Assert.True(
            name.StartsWith("System", StringComparison.Ordinal) || name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)
            || name is "Im.Core" or "Im.Storage.Relational",
            name));
    }

    [Fact]
    public async Task WithoutAnArgumentTheDataSourceOfTheServicesIsUsed()
    {
        await using var database = new TestDatabase(server.Server);
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddSingleton(MySqlStores.DataSource(database.ConnectionString));
        builder.Services.AddImServer().AddUserProvider<Nobody>().UseMySql().UseMySql(options => options.ReadLanes = 1);
        using var host = builder.Build();
        await host.StartAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, database.Count("SELECT COUNT(*) FROM im_meta WHERE name = 'generation'"));
        Assert.IsType<RelationalMessageStore>(host.Services.GetRequiredService<IMessageStore>());
        Assert.Single(host.Services.GetServices<IStorageInitializer>());
        await host.StopAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task WithoutAnyDataSourceTheStartFailsWithTheLineToAdd()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddImServer().AddUserProvider<Nobody>().UseMySql();
        using var host = builder.Build();
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync().WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("builder.Services.AddMySqlDataSource(connectionString);", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherStoreThatIsChosenLaterNeedsNoDataSource()
    {
        var folder = Directory.CreateTempSubdirectory("im-registration-");
        try
        {
            var services = new ServiceCollection();
            services.AddLogging();
            services.AddImServer().UseMySql().UseSqlite(Path.Combine(folder.FullName, "im.db"));
            await using var provider = services.BuildServiceProvider();
            foreach (var initializer in provider.GetServices<IStorageInitializer>())
            {
                await initializer.InitializeAsync(CancellationToken.None).Soon();
            }

            Assert.NotEmpty(await provider.GetRequiredService<IMessageStore>().GetGenerationAsync(CancellationToken.None).Soon());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task TheLastDataSourceCounts()
    {
        await using var database = new TestDatabase(server.Server);
        await using var unused = MySqlStores.DataSource("Server=127.0.0.1;Port=1;Database=none");
        await using var used = MySqlStores.DataSource(database.ConnectionString);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(unused);
        services.AddImServer().UseMySql().UseMySql(unused).UseMySql(used);
        await using var provider = services.BuildServiceProvider();
        foreach (var initializer in provider.GetServices<IStorageInitializer>())
        {
            await initializer.InitializeAsync(CancellationToken.None).Soon();
        }

        Assert.NotEmpty(await provider.GetRequiredService<IMessageStore>().GetGenerationAsync(CancellationToken.None).Soon());
    }

    [Fact]
    public void OptionsHaveTheirDocumentedDefaults()
    {
        var options = new ImMySqlOptions();
        Assert.Equal("SET NAMES utf8mb4", options.ConnectionInitSql);
        Assert.True(options.CreateSchema);
        Assert.Equal(2, options.WriteLanes);
        Assert.Equal(3, options.ReadLanes);
        Assert.Equal(4096, options.MaxQueuedCalls);
        Assert.Equal(TimeSpan.FromSeconds(30), options.CommandTimeout);
        Assert.Equal(TimeSpan.FromSeconds(2), options.LockWaitTimeout);
        Assert.Equal(TimeSpan.FromSeconds(4), options.IdleTransactionTimeout);
        Assert.Equal(TimeSpan.FromSeconds(30), options.CommitDecisionTimeout);
        Assert.Null(options.NewGeneration);
        Assert.True(new MySqlOptionsValidator().Validate(null, options).Succeeded);
    }

    [Fact]
    public void EverythingThatIsWrongWithTheOptionsIsSaidAtOnce()
    {
        var services = new ServiceCollection();
        services.AddImServer().UseMySql(options =>
        {
            options.ConnectionInitSql = null!;
            options.WriteLanes = 0;
            options.ReadLanes = 65;
            options.MaxQueuedCalls = 1;
            options.CommandTimeout = TimeSpan.Zero;
            options.LockWaitTimeout = TimeSpan.FromMinutes(2);
            options.IdleTransactionTimeout = TimeSpan.Zero;
            options.CommitDecisionTimeout = TimeSpan.FromHours(2);
            options.NewGeneration = "";
        });
        using var provider = services.BuildServiceProvider();
        var failure = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredService<IOptions<ImMySqlOptions>>().Value);
        Assert.Equal(
            [
                "ImMySqlOptions.ConnectionInitSql is null; set an empty text for none.",
                "ImMySqlOptions.WriteLanes is 0; set 1 to 64.",
                "ImMySqlOptions.ReadLanes is 65; set 1 to 64.",
                "ImMySqlOptions.MaxQueuedCalls is 1; set 16 to 1000000.",
                "ImMySqlOptions.CommandTimeout is 00:00:00; set 1 second to 01:00:00.",
                "ImMySqlOptions.LockWaitTimeout is 00:02:00; set 1 second to 00:01:00.",
                "ImMySqlOptions.IdleTransactionTimeout is 00:00:00; set 1 second to 01:00:00.",
                "ImMySqlOptions.CommitDecisionTimeout is 02:00:00; set 1 second to 01:00:00.",
                "ImMySqlOptions.NewGeneration must have 1 to 200 characters; null = the generation stays.",
            ],
            failure.Failures);
    }

    private sealed class Nobody : IUserProvider
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
