namespace Im.Sample.Chat.Hosting;

/// <summary>What the page shows when a request is refused.</summary>
internal sealed record Problem(string Error)
{
    public static IResult Of(int status, string error) => Results.Json(new Problem(error), statusCode: status);

    public static IResult Bad(string error) => Of(StatusCodes.Status400BadRequest, error);
}
