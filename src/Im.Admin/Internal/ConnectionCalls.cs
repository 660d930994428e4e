namespace Im.Administration.Internal;

/// <summary>Calls about connections.</summary>
internal static class ConnectionCalls
{
    public static async Task ListAsync(AdminCall call)
    {
        var filter = new AdminConnectionFilter
        {
            UserId = call.Text("user"),
            DeviceId = call.Text("device"),
            Node = call.Text("node"),
            Transport = call.Text("transport"),
            State = call.Choice<AdminConnectionState>("state"),
        };
        await call.AnswerAsync(
            await call.Admin.ListConnectionsAsync(filter, call.Text("after"), call.Limit, call.Aborted), AdminJson.Default.AdminConnectionPage);
    }

    public static async Task GetAsync(AdminCall call)
    {
        var (node, id) = (call.Path("node"), call.Path("id"));
        await call.AnswerAsync(
            await call.Admin.GetConnectionAsync(node, id, call.Aborted) ?? throw Unknown(node, id), AdminJson.Default.AdminConnectionDetail);
    }

    public static async Task CloseAsync(AdminCall call)
    {
        var (node, id) = (call.Path("node"), call.Path("id"));
        var body = call.Body(AdminHttpJson.Default.CloseBody);
        if (!await call.Admin.DisconnectAsync(node, id, (ImCloseCode)body.Code, body.Reason, call.Aborted))
        {
            throw Unknown(node, id);
        }

        await call.AnswerAsync(new ClosedAnswer(1), AdminHttpJson.Default.ClosedAnswer);
    }

    private static AdminProblemException Unknown(string node, string id) => AdminProblemException.NotFound(
        "unknown_connection", $"There is no connection \"{id}\" on a node \"{node}\" (any more); GET connections lists those that there are.");
}
