using System.Security.Claims;
using Im.Sample.Chat.Accounts;
using Im.Sample.Chat.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Im.Sample.Chat.Pictures;

/// <summary>Upload and download of pictures.</summary>
internal static class PictureEndpoints
{
    public static void MapPictures(this IEndpointRouteBuilder app)
    {
        app.MapPost("/api/pictures", Upload).RequireRateLimiting(RateLimits.Upload);
        app.MapGet("/pictures/{hash}", Download);
    }

    private static async Task<IResult> Upload(HttpContext context, ClaimsPrincipal user, PictureStore pictures)
    {
        if (context.Request.ContentLength > pictures.MaxBytes)
        {
            return Answer(PictureResult.TooLarge(pictures.MaxBytes));
        }

        // The store counts for itself; the server must let one byte more through than it accepts.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = pictures.MaxBytes + 64L * 1024;
        }

        return Answer(await pictures.SaveAsync(context.Request.Body, user.UserId(), context.RequestAborted));
    }

    private static IResult Answer(PictureResult result) => result.Status == StatusCodes.Status200OK
        ? Results.Json(new { Url = "/pictures/" + result.Hash })
        : Problem.Of(result.Status, result.Error);

    private static async Task<IResult> Download(string hash, HttpContext context, PictureStore pictures, PictureAccess access)
    {
        // Who may not see it is not told whether it exists.
        if (pictures.Find(hash) is not { } picture || !await access.MayReadAsync(context.User.UserId(), hash, context.RequestAborted))
        {
            return Results.NotFound();
        }

        // An <img> shows it all the same; opened by itself it is a download and never a document of this origin.
        context.Response.Headers[HeaderNames.ContentSecurityPolicy] = "default-src 'none'; sandbox";

        // The bytes never change, but who may see them does: a browser keeps them and asks each time, and mostly gets a 304.
        context.Response.Headers[HeaderNames.CacheControl] = "private, no-cache";
        return Results.File(
            picture.Path,
            picture.ContentType,
            "picture-" + hash[..8] + PictureType.Extension(picture.ContentType),
            entityTag: new EntityTagHeaderValue('"' + hash + '"'),
            enableRangeProcessing: true);
    }
}
