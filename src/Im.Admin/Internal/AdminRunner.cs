using System.Text.Json;
using Im.Cluster;
using Im.Protocol;
using Im.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Administration.Internal;

/// <summary>Runs one call: guards it, checks what it says, and turns every failure into a problem document.</summary>
internal sealed class AdminRunner(IImServer server, IImAdmin admin, IOptions<ImAdminOptions> options, ILogger<AdminRunner> logger)
{
    public async Task RunAsync(HttpContext context, AdminRoute route)
    {
        SetHeaders(context.Response.Headers);
        try
        {
            if (AdminGuard.Check(context) is { } denied)
            {
                throw denied;
            }

            var call = new AdminCall(context, route, server, admin, options.Value);
            await call.CheckAsync();
            if (route.ChangesState)
            {
                AdminLog.Called(logger, context.User.Identity?.Name ?? "", route.Method, context.Request.Path);
            }

            await route.Handle(call);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer.
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, ToProblem(exception, context));
        }
    }

    private static void SetHeaders(IHeaderDictionary headers)
    {
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.ContentSecurityPolicy =
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    }

    private AdminProblemException ToProblem(Exception exception, HttpContext context)
    {
        switch (exception)
        {
            case AdminProblemException problem:
                return problem;
            case ArgumentException argument:
                return AdminProblemException.BadArgument(argument.ParamName is { } name ? argument.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : argument.Message);
            case JsonException json:
                return new AdminProblemException(400, "bad_json", $"The body is not what this call takes: {json.Message}");
            case BadHttpRequestException bad:
                return new AdminProblemException(bad.StatusCode, "bad_request", bad.Message);
            case ImException refused:
                return new AdminProblemException(StatusOf(refused.Code), ImErrorCodes.GetName(refused.Code), refused.Message);
            case ImStorageException:
                AdminLog.Failed(logger, context.Request.Method, context.Request.Path, exception);
                return new AdminProblemException(503, ImErrorCodes.GetName(ImErrorCode.StorageUnavailable), "The store cannot be read now; try again. The server's log has the details.");
            case ImClusterException cluster:
                return new AdminProblemException(503, ImErrorCodes.GetName(ImErrorCode.ClusterUnavailable), cluster.Message);
            default:
                AdminLog.Failed(logger, context.Request.Method, context.Request.Path, exception);
                return new AdminProblemException(500, ImErrorCodes.GetName(ImErrorCode.Internal), "The call failed; the server's log has the details.");
        }
    }

    private static int StatusOf(ImErrorCode code) => code switch
    {
        ImErrorCode.UnknownUser or ImErrorCode.UnknownConversation => 404,
        ImErrorCode.Conflict or ImErrorCode.AlreadyExists or ImErrorCode.Dissolved => 409,
        ImErrorCode.StorageUnavailable or ImErrorCode.ShuttingDown or ImErrorCode.ClusterUnavailable => 503,
        ImErrorCode.Internal => 500,
        _ => 400,
    };

    private static Task WriteAsync(HttpContext context, AdminProblemException problem)
    {
        context.Response.Clear();
        SetHeaders(context.Response.Headers);
        context.Response.StatusCode = problem.Status;
        context.Response.ContentType = "application/problem+json";
        var body = new AdminProblem($"urn:im:{problem.Name}", problem.Name, problem.Status, problem.Message);
        return context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(body, AdminHttpJson.Default.AdminProblem), context.RequestAborted).AsTask();
    }
}
