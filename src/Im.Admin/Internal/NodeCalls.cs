namespace Im.Administration.Internal;

/// <summary>Calls about nodes.</summary>
internal static class NodeCalls
{
    public static async Task ListAsync(AdminCall call) =>
        await call.AnswerAsync(new NodesAnswer(await call.Admin.GetNodesAsync(call.Aborted)), AdminHttpJson.Default.NodesAnswer);

    public static async Task StatusAsync(AdminCall call)
    {
        if (call.Text("node") is { } name)
        {
            var status = await call.Admin.GetStatusAsync(name, call.Aborted)
                ?? throw AdminProblemException.NotFound("unknown_node", $"There is no node \"{name}\"; GET nodes lists those that live.");
            await call.AnswerAsync(new StatusAnswer([status], []), AdminHttpJson.Default.StatusAnswer);
            return;
        }

        var nodes = await call.Admin.GetNodesAsync(call.Aborted);
        var answer = new StatusAnswer(
            [.. nodes.Where(node => node.Status is not null).Select(node => node.Status!)], [.. nodes.Where(node => !node.Answered).Select(node => node.Name)]);
        await call.AnswerAsync(answer, AdminHttpJson.Default.StatusAnswer);
    }
}
