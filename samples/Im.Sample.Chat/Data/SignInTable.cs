namespace Im.Sample.Chat.Data;

/// <summary>
/// Who has signed in and not out again. Cookies and tokens name a sign-in and are worth nothing without its row, so signing out is final, also for a
/// copy of the cookie. A device belongs to the sign-in that it was last let in with.
/// </summary>
internal sealed class SignInTable(ChatDatabase database, TimeProvider time)
{
    // However often it is used, a sign-in ends after this long; it also keeps the table from growing for ever.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(90);

    public void Add(string id, string userId)
    {
        database.Execute("DELETE FROM sign_ins WHERE created_ms <= $oldest", ("$oldest", Oldest));
        database.Execute(
            "INSERT INTO sign_ins (id, user_id, created_ms) VALUES ($id, $user, $now)",
            ("$id", id),
            ("$user", userId),
            ("$now", time.GetUtcNow().ToUnixTimeMilliseconds()));
    }

    public bool IsValid(string id, string userId) =>
        database.Query(
            "SELECT 1 FROM sign_ins WHERE id = $id AND user_id = $user AND created_ms > $oldest",
            r => r.GetInt32(0),
            ("$id", id),
            ("$user", userId),
            ("$oldest", Oldest)).Count > 0;

    /// <summary>Notes that the device is let in with this sign-in; false if the sign-in is over. One statement: a sign-out comes before or after it.</summary>
    public bool TryUse(string id, string userId, string deviceId) =>
        database.Execute(
            "INSERT OR REPLACE INTO sign_in_devices (user_id, device_id, sign_in_id) "
            + "SELECT user_id, $device, id FROM sign_ins WHERE id = $id AND user_id = $user AND created_ms > $oldest",
            ("$device", deviceId),
            ("$id", id),
            ("$user", userId),
            ("$oldest", Oldest)) > 0;

    /// <summary>Ends the sign-in and returns its devices.</summary>
    public IReadOnlyList<string> End(string id, string userId)
    {
        using var connection = database.Open();
        using var transaction = connection.BeginTransaction();
        var devices = ChatDatabase.Query(
            connection, "SELECT device_id FROM sign_in_devices WHERE sign_in_id = $id", r => r.GetString(0), ("$id", id));
        ChatDatabase.Execute(connection, "DELETE FROM sign_ins WHERE id = $id AND user_id = $user", ("$id", id), ("$user", userId));
        transaction.Commit();
        return devices;
    }

    /// <summary>Ends all sign-ins of the user.</summary>
    public void EndAll(string userId) => database.Execute("DELETE FROM sign_ins WHERE user_id = $user", ("$user", userId));

    private long Oldest => (time.GetUtcNow() - Longest).ToUnixTimeMilliseconds();
}
