using Microsoft.Data.Sqlite;

namespace Im.Sample.Chat.Data;

/// <summary>Reads and writes the users.</summary>
internal sealed class UserTable(ChatDatabase database, TimeProvider time)
{
    private const string Columns = "SELECT id, name, display_name, password_hash FROM users ";
    private const int SqliteConstraint = 19;

    public ChatUser? FindByName(string name) =>
        database.Query(Columns + "WHERE name = $name", Read, ("$name", name)).SingleOrDefault();

    public ChatUser? FindById(string id) =>
        database.Query(Columns + "WHERE id = $id", Read, ("$id", id)).SingleOrDefault();

    public List<ChatUser> All() => database.Query(Columns + "ORDER BY display_name COLLATE NOCASE, name", Read);

    /// <summary>Those of the ids that exist.</summary>
    public IReadOnlyList<string> Existing(IReadOnlyList<string> ids)
    {
        // One statement whatever the number of ids.
        var json = System.Text.Json.JsonSerializer.Serialize(ids);
        return database.Query("SELECT id FROM users WHERE id IN (SELECT value FROM json_each($ids))", r => r.GetString(0), ("$ids", json));
    }

    /// <summary>False if the name is taken.</summary>
    public bool TryAdd(ChatUser user)
    {
        try
        {
            database.Execute(
                "INSERT INTO users (id, name, display_name, password_hash, created_ms) VALUES ($id, $name, $display, $hash, $now)",
                ("$id", user.Id),
                ("$name", user.Name),
                ("$display", user.DisplayName),
                ("$hash", user.PasswordHash),
                ("$now", time.GetUtcNow().ToUnixTimeMilliseconds()));
            return true;
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SqliteConstraint)
        {
            return false;
        }
    }

    public void SetPasswordHash(string id, string hash) =>
        database.Execute("UPDATE users SET password_hash = $hash WHERE id = $id", ("$hash", hash), ("$id", id));

    private static ChatUser Read(SqliteDataReader row) => new(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3));
}
