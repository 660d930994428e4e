namespace Im.Sample.Chat.Data;

/// <summary>Reads and writes the groups: the sample's own record of them, from which IM's are created again at start.</summary>
internal sealed class GroupTable(ChatDatabase database, TimeProvider time)
{
    public List<ChatGroup> All() => Read("", []);

    public List<ChatGroup> OfUser(string userId) =>
        Read("WHERE g.id IN (SELECT group_id FROM group_members WHERE user_id = $user)", [("$user", userId)]);

    public ChatGroup? Find(string id) => Read("WHERE g.id = $id", [("$id", id)]).SingleOrDefault();

    public void Add(ChatGroup group)
    {
        using var connection = database.Open();
        using var transaction = connection.BeginTransaction();
        ChatDatabase.Execute(
            connection,
            "INSERT INTO groups (id, name, owner_id, created_ms) VALUES ($id, $name, $owner, $now)",
            ("$id", group.Id),
            ("$name", group.Name),
            ("$owner", group.OwnerId),
            ("$now", Now));
        foreach (var member in group.MemberIds)
        {
            AddMember(connection, group.Id, member);
        }

        transaction.Commit();
    }

    public void AddMembers(string id, IReadOnlyList<string> userIds)
    {
        using var connection = database.Open();
        using var transaction = connection.BeginTransaction();
        foreach (var user in userIds)
        {
            AddMember(connection, id, user);
        }

        transaction.Commit();
    }

    public void RemoveMember(string id, string userId) =>
        database.Execute("DELETE FROM group_members WHERE group_id = $id AND user_id = $user", ("$id", id), ("$user", userId));

    public void SetOwner(string id, string ownerId) =>
        database.Execute("UPDATE groups SET owner_id = $owner WHERE id = $id", ("$owner", ownerId), ("$id", id));

    public void Remove(string id) => database.Execute("DELETE FROM groups WHERE id = $id", ("$id", id));

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private void AddMember(Microsoft.Data.Sqlite.SqliteConnection connection, string id, string userId) =>
        ChatDatabase.Execute(
            connection,
            "INSERT OR IGNORE INTO group_members (group_id, user_id, joined_ms) VALUES ($id, $user, $now)",
            ("$id", id),
            ("$user", userId),
            ("$now", Now));

    private List<ChatGroup> Read(string where, (string Name, object Value)[] parameters)
    {
        var rows = database.Query(
            "SELECT g.id, g.name, g.owner_id, m.user_id FROM groups g JOIN group_members m ON m.group_id = g.id "
            + where + " ORDER BY g.id, m.joined_ms, m.user_id",
            r => (Id: r.GetString(0), Name: r.GetString(1), OwnerId: r.GetString(2), UserId: r.GetString(3)),
            parameters);
        return [.. rows
            .GroupBy(r => r.Id)
            .Select(g => new ChatGroup(g.Key, g.First().Name, g.First().OwnerId, [.. g.Select(r => r.UserId)]))];
    }
}
