using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Im.Administration.Internal;

/// <summary>Denies what no policy of the host protects, whatever else is configured. Asked at each request, for the endpoint that was matched.</summary>
/// <remarks>
/// The authorization middleware decides who may come in; this only makes sure that it did. <c>AllowAnonymous</c> would make it let everybody in, so an
/// endpoint with that is closed to all.
/// </remarks>
internal static class AdminGuard
{
    // The middleware leaves this in the items of a request that it has looked at; the routing of ASP.NET Core asks for the same.
    private const string CheckedByMiddleware = "__AuthorizationMiddlewareWithEndpointInvoked";

    /// <summary>Why the request is denied; null = the host's policy has let it in.</summary>
    public static AdminProblemException? Check(HttpContext context)
    {
        var metadata = context.GetEndpoint()?.Metadata;
        if (metadata is null || (metadata.GetMetadata<IAuthorizeData>() is null && metadata.GetMetadata<AuthorizationPolicy>() is null))
        {
            return new AdminProblemException(403, "no_policy", "The admin endpoints have no authorization policy, so they are closed. Give them one: app.MapImAdmin(\"/im/admin\").RequireAuthorization(\"your-policy\");");
        }

        if (metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            return new AdminProblemException(403, "anonymous_allowed", "AllowAnonymous is set on the admin endpoints, which would let everybody in, so they are closed. Remove it and keep RequireAuthorization(\"your-policy\").");
        }

        return context.Items.ContainsKey(CheckedByMiddleware)
            ? null
            : new AdminProblemException(403, "not_authorized", "No authorization middleware has looked at this request, so it is denied. Add app.UseAuthentication(); app.UseAuthorization(); between UseRouting and the endpoints.");
    }
}
