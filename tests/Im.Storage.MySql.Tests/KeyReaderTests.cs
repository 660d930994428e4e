using System.Globalization;
using System.Text;
using Im.Storage.MySql.Internal;
using Im.Storage.MySql.Tests.Support;
using Im.Storage.Relational;
using Im.Testing.Specification;
using Xunit.Abstractions;

namespace Im.Storage.MySql.Tests;

/// <summary>Rows written and found in bulk, as the engine does it.</summary>
[Collection(MySqlCollection.Name)]
public sealed class KeyReaderTests(MySqlServer server, ITestOutputHelper output)
{
    private static readonly KeySource OneColumn = new("t_one", ["k"], ["v"]);
    private static readonly KeySource OneColumnLocked = OneColumn with { Lock = true };
    private static readonly KeySource TwoColumns = new("t_two", ["a", "b"], ["v", "text"]);
    private static readonly RowTarget One = new("t_one", RowMode.Insert, ["k", "v"], 1, []);
    private static readonly RowTarget Two = new("t_two", RowMode.Insert, ["a", "b", "v", "text"], 2, []);
    private static readonly RowTarget TwoUpdated = new("t_two", RowMode.Update, ["a", "b", "v"], 2, ["v"], Only: "text IS NULL");

    [Fact]
    public async Task AnyKeysInAnyOrderAreFoundAlsoTwice()
    {
        var seed = TestSeed.Next(output);
        var random = new Random(seed);
        await using var database = new TestDatabase(server.Server);
        using var session = Open(database);
        var rows = new Dictionary<(string A, string B), (long Value, string? Text)>();
        var two = session.Writer(Two);
        var one = session.Writer(One);
        for (var i = 0; i < 1500; i++)
        {
            var key = (Key(random), Key(random));
            if (!rows.TryAdd(key, (random.NextInt64(), i % 2 == 0 ? "ü" + i : null)))
            {
                continue;
            }

            two.AddId(key.Item1);
            two.AddId(key.Item2);
            two.Add(rows[key].Value);
            if (rows[key].Text is { } text)
            {
                two.AddText(text);
            }
            else
            {
                two.AddNull();
            }

            two.EndRow();
        }

        Assert.Equal(rows.Count, two.Flush());
        var ones = rows.Keys.Select(key => key.A).Distinct().ToDictionary(k => k, _ => random.NextInt64());
        foreach (var (k, v) in ones)
        {
            one.AddId(k);
            one.Add(v);
            one.EndRow();
        }

        Assert.Equal(ones.Count, one.Flush());
        for (var round = 0; round < 30; round++)
        {
            var count = round == 0 ? 0 : random.Next(1, 900);
            var asked = Enumerable.Range(0, count).Select(_ => random.Next(3) == 0 ? (Key(random), Key(random)) : rows.Keys.ElementAt(random.Next(rows.Count)))
                .ToList();
            CheckTwo(session, asked, rows);
            foreach (var source in new[] { OneColumn, OneColumnLocked })
            {
                CheckOne(session, source, asked.ConvertAll(key => key.Item1), ones);
            }
        }

        // Only rows that exist and fulfil the condition are changed.
        var update = session.Writer(TwoUpdated);
        foreach (var key in rows.Keys.Append(("none", "none")))
        {
            update.AddId(key.Item1);
            update.AddId(key.Item2);
            update.Add(42);
            update.EndRow();
        }

        update.Flush();
        CheckTwo(session, [.. rows.Keys], rows.ToDictionary(row => row.Key, row => row.Value with { Value = row.Value.Text is null ? 42 : row.Value.Value }));
    }

    [Fact]
    public async Task RowsAreFoundByTheKeysIndexHoweverSmallTheTableIs()
    {
        await using var database = new TestDatabase(server.Server);
        using var session = Open(database);
        session.Execute("INSERT INTO t_one VALUES ('a', 1), ('b', 2), ('c', 3)");
        session.Execute("INSERT INTO t_two VALUES ('a', 'a', 1, NULL), ('b', 'b', 2, NULL), ('c', 'c', 3, NULL)");
        foreach (var sql in RowSql.Find(OneColumnLocked, 3).Split("; ").Append(RowSql.Find(TwoColumns, 2)))
        {
            var text = sql;
            for (var i = 4; i > 0; i--)
            {
                text = text.Replace($"@p{i}", $"_binary '{(char)('a' + i - 1)}'", StringComparison.Ordinal);
            }

            var plan = session.Prepare("EXPLAIN FORMAT=JSON " + text);
            Assert.True(plan.Read());
            Assert.Contains("\"access_type\": \"range\"", plan.GetText(0).Replace("range\", \"", "", StringComparison.Ordinal), StringComparison.Ordinal);
            plan.Clear();
        }
    }

    private static void CheckTwo(SqlSession session, List<(string, string)> asked, Dictionary<(string A, string B), (long Value, string? Text)> rows)
    {
        var reader = session.Reader(TwoColumns);
        foreach (var (a, b) in asked)
        {
            reader.AddId(a);
            reader.AddId(b);
        }

        var found = new HashSet<int>();
        while (reader.Read(out var key))
        {
            Assert.True(found.Add(key));
            var (value, text) = rows[asked[key]];
            Assert.Equal(value, reader.GetInt64(0));
            Assert.Equal(text is null, reader.IsNull(1));
            Assert.Equal(text ?? "", reader.GetText(1));
            Assert.Equal(text ?? "", Encoding.UTF8.GetString(reader.GetBytes(1)));
        }

        Assert.Equal(asked.Count(rows.ContainsKey), found.Count);
    }

    private static void CheckOne(SqlSession session, KeySource source, List<string> asked, Dictionary<string, long> rows)
    {
        var reader = session.Reader(source);
        asked.ForEach(reader.AddId);
        var found = new HashSet<int>();
        while (reader.Read(out var key))
        {
            Assert.True(found.Add(key));
            Assert.Equal(rows[asked[key]], reader.GetInt64(0));
        }

        Assert.Equal(asked.Count(rows.ContainsKey), found.Count);
    }

    // Few characters, so that keys are prefixes of each other; some that SQL and collations would like to change.
    private static string Key(Random random) => string.Create(
        random.Next(0, 5), random, static (span, r) => r.GetItems("aA ü\\'\0".AsSpan(), span));

    private static MySqlSession Open(TestDatabase database)
    {
        database.Execute("CREATE TABLE t_one (k VARBINARY(64) PRIMARY KEY, v BIGINT NOT NULL) ENGINE=InnoDB");
        database.Execute(
            "CREATE TABLE t_two (a VARBINARY(64) NOT NULL, b VARBINARY(64) NOT NULL, v BIGINT NOT NULL, text MEDIUMTEXT NULL, PRIMARY KEY (a, b)) "
            + "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
        return (MySqlSession)new MySqlDialect(MySqlStores.DataSource(database.ConnectionString), new MySqlSettings()).Open(forWrites: true);
    }
}
