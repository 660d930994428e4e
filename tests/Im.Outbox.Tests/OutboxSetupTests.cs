using System.Data.Common;
using Im.Model;
using Im.Outbox.Internal;
using Im.Outbox.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using MySql.Data.MySqlClient;
using static Im.Outbox.Tests.Support.RelayNode;

namespace Im.Outbox.Tests;

/// <summary>Verbs, options, the printed table, and what EnqueueAsync refuses at once.</summary>
public sealed class OutboxSetupTests
{
    public static TheoryData<ImOutboxDialect> Dialects { get; } = [.. Enum.GetValues<ImOutboxDialect>()];

    [Theory]
    [MemberData(nameof(Dialects))]
    public void TheTableIsPrintedForEveryDatabase(ImOutboxDialect dialect)
    {
        var script = ImOutboxSchema.Script(dialect, "shop.messages");
        Assert.Contains("CREATE TABLE", script, StringComparison.Ordinal);
        Assert.Contains("shop.messages (", script, StringComparison.Ordinal);
        Assert.Contains("(kind, id)", script, StringComparison.Ordinal);
        Assert.DoesNotContain("{", script, StringComparison.Ordinal);
        foreach (var column in new[] { "kind", "id", "time_ms", "payload", "error" })
        {
            Assert.Matches($@"(?m)^    {column} ", script);
        }
    }

    // As printed; a change of these is a change for every host's DBA.
    [Fact]
    public void TheDialectsDifferInTheirTypesOnly()
    {
        Assert.StartsWith("CREATE TABLE IF NOT EXISTS im_outbox (", ImOutboxSchema.Script(ImOutboxDialect.MySql), StringComparison.Ordinal);
        Assert.Contains("LONGTEXT CHARACTER SET ascii", ImOutboxSchema.Script(ImOutboxDialect.MySql), StringComparison.Ordinal);
        Assert.Contains("COLLATE \"C\"", ImOutboxSchema.Script(ImOutboxDialect.PostgreSql), StringComparison.Ordinal);
        Assert.StartsWith("IF OBJECT_ID(N'im_outbox', N'U') IS NULL", ImOutboxSchema.Script(ImOutboxDialect.SqlServer), StringComparison.Ordinal);
        Assert.Contains("Latin1_General_BIN2", ImOutboxSchema.Script(ImOutboxDialect.SqlServer), StringComparison.Ordinal);
        Assert.Equal(
            "SELECT TOP (7) id, time_ms, payload FROM t WITH (READPAST, ROWLOCK) WHERE kind = 1 AND id > @id ORDER BY id",
            SqlDialect.For(ImOutboxDialect.SqlServer).SelectWaiting("t", 7));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("t; DROP TABLE users")]
    [InlineData("a.b.c")]
    [InlineData("1t")]
    [InlineData("t\n")]
    public void ATableNameThatIsNoNameIsRefused(string name)
    {
        Assert.Throws<ArgumentException>(() => ImOutboxSchema.Script(ImOutboxDialect.MySql, name));
        var result = new ImOutboxOptionsValidator().Validate(null, new ImOutboxOptions { TableName = name });
        Assert.Contains("ImOutboxOptions.TableName", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void AllWrongOptionsAreReportedAtOnce()
    {
        var options = new ImOutboxOptions
        {
            Dialect = (ImOutboxDialect)99,
            MaxPageRows = 0,
            MaxPageBytes = 0,
            PollInterval = TimeSpan.Zero,
            LeaseDuration = TimeSpan.Zero,
            SendTimeout = TimeSpan.Zero,
            CommandTimeout = TimeSpan.Zero,
            RetryMinDelay = TimeSpan.Zero,
            RetryMaxDelay = TimeSpan.FromDays(1),
            GiveUpAfter = -TimeSpan.FromSeconds(1),
        };
        Assert.Equal(10, new ImOutboxOptionsValidator().Validate(null, options).Failures!.Count());
        Assert.True(new ImOutboxOptionsValidator().Validate(null, new ImOutboxOptions()).Succeeded);
    }

    [Fact]
    public void TheDefaultsAreTheDocumentedOnes()
    {
        var options = new ImOutboxOptions();
        Assert.Null(options.Dialect);
        Assert.Equal("im_outbox", options.TableName);
        Assert.True(options.CreateTable);
        Assert.Equal(TimeSpan.FromSeconds(1), options.PollInterval);
        Assert.Equal(TimeSpan.FromSeconds(10), options.LeaseDuration);
        Assert.Equal(500, options.MaxPageRows);
        Assert.Equal(4 * 1024 * 1024, options.MaxPageBytes);
    }

    [Fact]
    public void TheDialectIsToldFromTheDriverAndAnUnknownOneNamesTheOption()
    {
        using var mySql = new MySqlConnection();
        using var sqlite = new SqliteConnection();
        Assert.Same(SqlDialect.For(ImOutboxDialect.MySql), SqlDialect.Detect(mySql));
        Assert.Same(SqlDialect.For(ImOutboxDialect.Sqlite), SqlDialect.Detect(sqlite));
        using var unknown = new OtherConnection();
        Assert.Contains("o.Dialect =", Assert.Throws<InvalidOperationException>(() => SqlDialect.Detect(unknown)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheVerbCanBeCalledTwiceAndTakesTheDataSourceOfTheServices()
    {
        await using var database = new SqliteDatabase();
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<DbDataSource>(database.DataSource);
        builder.Services.AddImServer().AddUserProvider<AnyUsers>().AddImOutbox(o => o.MaxPageRows = 7).AddImOutbox(o => o.TableName = "other");
        using var host = builder.Build();
        await host.StartAsync().Soon();
        Assert.Equal("0", await database.ScalarAsync("SELECT COUNT(*) FROM other WHERE kind = 1"));
        Assert.Equal(7, host.Services.GetRequiredService<IOptions<ImOutboxOptions>>().Value.MaxPageRows);
        Assert.Single(host.Services.GetServices<IHostedService>().OfType<OutboxHost>());
        await host.StopAsync().Soon();
    }

    [Fact]
    public void WithoutADataSourceTheErrorNamesTheLine()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddImServer().AddUserProvider<AnyUsers>().AddImOutbox();
        using var provider = services.BuildServiceProvider();
        var failure = Assert.Throws<InvalidOperationException>(() => provider.GetRequiredService<OutboxTable>());
        Assert.Contains("AddImOutbox(dataSource)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatCanNeverBeSentFailsInTheHostsCallAndWritesNothing()
    {
        await using var database = new SqliteDatabase();
        await using var im = await ImNode.StartAsync();
        await using var node = await StartAsync(im, database);
        var fine = To("ann", "fine");
        OutgoingMessage[] wrong =
        [
            fine with { ToUserId = null },
            fine with { ConversationId = "g:team" },
            fine with { NonPersistent = true },
            fine with { SenderId = "" },
            fine with { ClientMessageId = "" },
            fine with { Content = MessageContent.FromText("") },
            fine with { Content = MessageContent.FromText(new string('x', 64 * 1024)) },
            fine with { Content = null! },
        ];
        await using var connection = await database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        foreach (var message in wrong)
        {
            await Assert.ThrowsAsync<ArgumentException>(() => node.Outbox.EnqueueAsync([fine, message], transaction).Soon());
        }

        await Assert.ThrowsAsync<OperationCanceledException>(() => node.Outbox.EnqueueAsync(fine, transaction, new CancellationToken(true)).Soon());
        Assert.Empty(await node.Outbox.EnqueueAsync([], transaction).Soon());
        await transaction.CommitAsync();
        Assert.Equal(0, await database.CountAsync(1));
        await Assert.ThrowsAsync<InvalidOperationException>(() => node.Outbox.EnqueueAsync(fine, transaction).Soon());
    }

    private sealed class OtherConnection : DbConnection
    {
        [System.Diagnostics.CodeAnalysis.AllowNull]
        public override string ConnectionString { get; set; } = "";

        public override string Database => "";

        public override string DataSource => "";

        public override string ServerVersion => "";

        public override System.Data.ConnectionState State => System.Data.ConnectionState.Closed;

        public override void ChangeDatabase(string databaseName)
        {
        }

        public override void Close()
        {
        }

        public override void Open()
        {
        }

        protected override DbTransaction BeginDbTransaction(System.Data.IsolationLevel isolationLevel) => throw new NotSupportedException();

        protected override DbCommand CreateDbCommand() => throw new NotSupportedException();
    }
}
