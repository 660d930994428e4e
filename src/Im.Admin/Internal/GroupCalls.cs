namespace Im.Administration.Internal;

/// <summary>Calls about groups.</summary>
internal static class GroupCalls
{
    public static async Task GetAsync(AdminCall call)
    {
        var id = call.Path("id");
        await call.AnswerAsync(await call.Admin.GetGroupAsync(id, call.Aborted) ?? throw Unknown(id), AdminJson.Default.AdminGroup);
    }

    public static async Task MembersAsync(AdminCall call)
    {
        var id = call.Path("id");
        await call.AnswerAsync(
            await call.Admin.ListMembersAsync(id, call.Text("after"), call.Limit, call.Aborted) ?? throw Unknown(id), AdminJson.Default.AdminMemberPage);
    }

    private static AdminProblemException Unknown(string id) => AdminProblemException.NotFound("unknown_group", $"There is no group \"{id}\".");
}
