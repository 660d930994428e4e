using Im.Testing.Specification;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Storage.Sqlite;

/// <summary>Copies that are made while the server runs.</summary>
public sealed class SqliteBackupTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task ACopyMadeUnderLoadIsOneMomentAndOpens()
    {
        await using var server = await SqliteServer.StartAsync(_folder["im.db"], options => options.Synchronous = ImSqliteSynchronous.Normal);
        using var stop = new CancellationTokenSource();
        await server.SendAsync("first");
        var sending = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await server.SendAsync();
            }
        });
        for (var i = 0; i < 5; i++)
        {
            await BackupAsync(server, $"copies/{i}.db");
        }

        await stop.CancelAsync();
        await sending.Soon();
        var generation = await server.GenerationAsync();
        var last = 0L;
        for (var i = 0; i < 5; i++)
        {
            await using var copy = await SqliteServer.StartAsync(_folder[$"copies/{i}.db"], options => options.NewGeneration = "restored");
            var head = await copy.HeadAsync();
            Assert.InRange(head, last, await server.HeadAsync());
            last = head;
            var inbox = (await copy.Messages.ReadInboxesAsync([new("bob", default, int.MaxValue)], CancellationToken.None).Soon())[0];
            Assert.Equal(head, inbox.Runs.Sum(run => run.Count));
            Assert.Equal(head, (await copy.Messages.ReadEntriesAsync(inbox.Runs, int.MaxValue, CancellationToken.None).Soon()).Count(entry => !entry.IsGone));
            Assert.NotEqual(generation, await copy.GenerationAsync());
            Assert.Equal("ok", await copy.AskAsync("PRAGMA integrity_check"));
            Assert.Equal(AppendOutcome.Duplicate, (await copy.SendAsync("first")).Outcome);
        }
    }

    [Fact]
    public async Task AFileThatExistsIsNotReplaced()
    {
        await using var server = await SqliteServer.StartAsync(_folder["im.db"]);
        await File.WriteAllTextAsync(_folder["copy.db"], "precious");
        var refused = await Assert.ThrowsAsync<IOException>(() => BackupAsync(server, "copy.db"));
        Assert.Contains("never replaces a file", refused.Message);
        Assert.Equal("precious", await File.ReadAllTextAsync(_folder["copy.db"]));
    }

    [Fact]
    public async Task ACopyIsOneFileAndNothingElse()
    {
        await using var server = await SqliteServer.StartAsync(_folder["im.db"]);
        await server.SendAsync();
        await BackupAsync(server, "copies/copy.db");
        Assert.Equal([_folder["copies/copy.db"]], Directory.GetFiles(_folder["copies"]));
    }

    private Task BackupAsync(SqliteServer server, string name) =>
        server.Services.GetRequiredService<ISqliteBackup>().BackupAsync(_folder[name]).Soon();
}
