namespace Im.Administration.Internal;

/// <summary>Calls about users.</summary>
internal static class UserCalls
{
    public static async Task OnlineAsync(AdminCall call) =>
        await call.AnswerAsync(await call.Admin.ListOnlineAsync(call.Text("after"), call.Limit, call.Aborted), AdminJson.Default.AdminOnlinePage);

    public static async Task GetAsync(AdminCall call)
    {
        var id = call.Path("id");
        var user = await call.Admin.GetUserAsync(id, call.Text("after"), call.Limit, call.Aborted)
            ?? throw AdminProblemException.NotFound("unknown_user", $"The host knows no user \"{id}\".");
        await call.AnswerAsync(user, AdminJson.Default.AdminUser);
    }

    public static async Task CloseAsync(AdminCall call)
    {
        var id = call.Path("id");
        var body = call.Body(AdminHttpJson.Default.CloseUserBody);
        AdminArguments.ThrowIfNoUserId(id);
        AdminArguments.ThrowIfBadClose((ImCloseCode)body.Code, body.Reason);
        var count = await call.Server.Sessions.DisconnectAsync(id, body.DeviceId, (ImCloseCode)body.Code, body.Reason, call.Aborted);
        await call.AnswerAsync(new ClosedAnswer(count), AdminHttpJson.Default.ClosedAnswer);
    }
}
