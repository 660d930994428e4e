using System.Data;
using System.Diagnostics;
using Im.Model;
using Im.Storage.MySql.Internal;
using Im.Storage.MySql.Tests.Support;
using Im.Testing.Specification;
using MySql.Data.MySqlClient;
using static Im.Testing.Specification.TestItems;

namespace Im.Storage.MySql.Tests;

/// <summary>Other transactions that hold rows for too long.</summary>
[Collection(MySqlCollection.Name)]
public sealed class LockTests(MySqlServer server)
{
    private static readonly string Direct = ConversationId.Direct("ann", "bob");
    private static readonly Audience Both = To("ann", "bob");

    [Fact]
    public async Task AnotherTransactionThatHoldsRowsForSecondsIsSurvived()
    {
        await using var database = new TestDatabase(server.Server);
        var node = await database.OpenAsync(options => options.LockWaitTimeout = TimeSpan.FromSeconds(1));
        await node.Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), CancellationToken.None).Soon();
        using var other = Hold(database);

        var append = Task.Run(async () => await node.Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), CancellationToken.None));
        await WaitUntilAsync(() => database.Count("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'") > 0);
        await Task.Delay(1300);
        Assert.False(append.IsCompleted);
        other.Close();
        Assert.Equal(2, (await append.Soon()).Items[0].Seq.Value);
    }

    [Fact]
    public async Task RowsThatStayLockedAreAClearErrorAndNoMoreThanThat()
    {
        await using var database = new TestDatabase(server.Server);
        var node = await database.OpenAsync(options => options.LockWaitTimeout = TimeSpan.FromSeconds(1));
        await node.Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), CancellationToken.None).Soon();
        var other = Hold(database);
        var item = Message(Direct, "ann", Both);
        var failure = await Assert.ThrowsAsync<ImStorageException>(
            () => node.Messages.AppendAsync(Batch(item), CancellationToken.None).Soon());
        Assert.Equal(ImStorageFailure.Unavailable, failure.Failure);
        Assert.Contains("INNODB STATUS", failure.Message, StringComparison.Ordinal);
        Assert.IsType<MySqlException>(failure.InnerException);

        // Others are not disturbed, and what failed works afterwards.
        await node.Messages.AppendAsync(Batch(Message(ConversationId.Direct("cid", "dan"), "cid", To("cid", "dan"))), CancellationToken.None).Soon();
        other.Dispose();
        Assert.Equal(2, (await node.Messages.AppendAsync(Batch(item), CancellationToken.None).Soon()).Items[0].Seq.Value);
    }

    [Fact]
    public async Task ANodeThatIsFrozenInTheMiddleOfAnAppendIsEndedByTheServer()
    {
        await using var database = new TestDatabase(server.Server);
        var node = await database.OpenAsync();
        await node.Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), CancellationToken.None).Soon();

        // A lane of a node that stops between two statements.
        using var frozen = OpenSession(database, new MySqlSettings { IdleTransactionTimeout = TimeSpan.FromSeconds(1) });
        frozen.BeginWrite();
        frozen.Execute($"UPDATE im_conversations SET head = 77 WHERE conversation_id = '{Direct}'");

        var started = Stopwatch.GetTimestamp();
        var result = await node.Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), CancellationToken.None).Soon();
        Assert.Equal(2, result.Items[0].Seq.Value);
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0.5, 4);
        Assert.ThrowsAny<Exception>(frozen.Commit);
    }

    [Fact]
    public async Task ASingleRowThatIsWaitedForInVainIsGivenUpInTime()
    {
        await using var database = new TestDatabase(server.Server);
        var node = await database.OpenAsync();
        await node.Messages.AppendAsync(Batch(Message(Direct, "ann", Both)), CancellationToken.None).Soon();
        using var other = Hold(database);
        using var session = OpenSession(database, new MySqlSettings { LockWaitTimeout = TimeSpan.FromSeconds(1) });
        session.BeginWrite();
        var started = Stopwatch.GetTimestamp();
        var statement = session.Prepare("SELECT head FROM im_inboxes WHERE user_id = @p1 FOR UPDATE").AddId("bob");
        var failure = Assert.ThrowsAny<MySqlException>(() => statement.Read());
        Assert.Equal(1205, MySqlErrors.NumberOf(failure));
        session.Abandon();
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0.5, 5);
        Assert.Equal(1L, Convert.ToInt64(session.Query("SELECT 1")));
    }

    [Fact]
    public async Task ALanesSessionIsStrictAndDoesNotWaitLong()
    {
        await using var database = new TestDatabase(server.Server);
        using var writer = OpenSession(database, new MySqlSettings());
        Assert.Equal("READ-COMMITTED", writer.Query("SELECT @@SESSION.tx_isolation"));
        Assert.Contains("STRICT_TRANS_TABLES", (string)writer.Query("SELECT @@SESSION.sql_mode")!, StringComparison.Ordinal);
        Assert.Equal(2L, Convert.ToInt64(writer.Query("SELECT @@SESSION.innodb_lock_wait_timeout")));
        Assert.Equal(10L, Convert.ToInt64(writer.Query("SELECT @@SESSION.idle_write_transaction_timeout")));

        // What is meant for MySQL 8 only is not done here.
        Assert.Equal(28800L, Convert.ToInt64(writer.Query("SELECT @@SESSION.wait_timeout")));
        using var reader = (MySqlSession)new MySqlDialect(MySqlStores.DataSource(database.ConnectionString), new MySqlSettings()).Open(forWrites: false);
        Assert.Equal("REPEATABLE-READ", reader.Query("SELECT @@SESSION.tx_isolation"));
    }

    // A driver with a pool may give the same connection again: it is to be used, not ended.
    [Fact]
    public async Task ASessionThatIsThrownAwayInATransactionLeavesAUsableConnectionBehind()
    {
        await using var database = new TestDatabase(server.Server);
        await database.OpenAsync();
        var dialect = new MySqlDialect(MySqlStores.DataSource(database.ConnectionString), new MySqlSettings());
        using (var thrown = dialect.Open(forWrites: true))
        {
            thrown.BeginWrite();
            ((MySqlSession)thrown).Execute("INSERT INTO im_meta (name, value) VALUES ('lost', '')");
        }

        using var next = (MySqlSession)dialect.Open(forWrites: true);
        next.BeginWrite();
        Assert.Equal(0L, Convert.ToInt64(next.Query("SELECT COUNT(*) FROM im_meta WHERE name = 'lost'")));
        next.Execute("INSERT INTO im_meta (name, value) VALUES ('lost', '')");
        next.Commit();
    }

    private static MySqlSession OpenSession(TestDatabase database, MySqlSettings settings) =>
        (MySqlSession)new MySqlDialect(MySqlStores.DataSource(database.ConnectionString + ";Pooling=false"), settings).Open(forWrites: true);

    private static MySqlConnection Hold(TestDatabase database)
    {
        var connection = new MySqlConnection(database.ConnectionString + ";Pooling=false");
        connection.Open();
        using var names = new MySqlCommand("SET NAMES utf8mb4", connection);
        names.ExecuteNonQuery();
        connection.BeginTransaction(IsolationLevel.ReadCommitted);
        using var command = new MySqlCommand("SELECT head FROM im_inboxes WHERE user_id = 'bob' FOR UPDATE", connection);
        command.ExecuteScalar();
        return connection;
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!condition())
        {
            await Task.Delay(20, deadline.Token);
        }
    }
}
