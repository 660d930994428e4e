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
        app.MapPost("/api/pictures", Upload);
        app.MapGet("/pictures/{hash}", Download);
    }

    private static async Task<IResult> Upload(HttpContext context, ClaimsPrincipal user, PictureStore pictures)
    {
        var limit = $"A picture may have at most {pictures.MaxBytes / (1024 * 1024.0):0.#} MB.";
        if (context.Request.ContentLength > pictures.MaxBytes)
        {
            return Problem.Of(StatusCodes.Status413PayloadTooLarge, limit);
        }

        // The store counts for itself; the server must let one byte more through than it accepts.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } feature)
        {
            feature.MaxRequestBodySize = pictures.MaxBytes + 64L * 1024;
        }

        var result = await pictures.SaveAsync(context.Request.Body, user.UserId(), context.RequestAborted);
        return result.Status switch
        {
            StatusCodes.Status200OK => Results.Json(new { Url = "/pictures/" + result.Hash }),
            StatusCodes.Status413PayloadTooLarge => Problem.Of(result.Status, limit),
            _ => Problem.Of(result.Status, "Only PNG, JPEG, GIF and WebP pictures can be sent."),
        };
    }

    private static IResult Download(string hash, HttpContext context, PictureStore pictures)
    {
        if (pictures.Find(hash) is not { } picture)
        {
            return Results.NotFound();
        }

        // An <img> shows it all the same; opened by itself it is a download and never a document of this origin.
        context.Response.Headers[HeaderNames.ContentSecurityPolicy] = "default-src 'none'; sandbox";
        context.Response.Headers[HeaderNames.CacheControl] = "private, max-age=31536000, immutable";
        return Results.File(
            picture.Path, picture.ContentType, "picture-" + hash[..8] + PictureType.Extension(picture.ContentType), enableRangeProcessing: true);
    }
}
