using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Im.Admin.Tests.Support;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Im.Admin.Tests;

/// <summary>The endpoints are closed unless the host's own policy opens them. All of them are taken from the running application, so that new ones are covered.</summary>
public sealed class AccessTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task WithoutAPolicyEveryEndpointIsClosedAndSaysWhatToAdd()
    {
        await using var node = await Node.StartAsync("closed", map: app => app.MapImAdmin("/im/admin"));
        var answers = await CallAllAsync(node, Operators.Administrator);
        Assert.True(answers.Count >= 17, $"{answers.Count} endpoints were found.");
        Assert.All(answers, answer =>
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
            Assert.Contains("RequireAuthorization", answer.Text, StringComparison.Ordinal);
            Assert.Equal("no_policy", (string?)JsonNode.Parse(answer.Text)!["title"]);
        });
    }

    [Fact]
    public async Task AllowAnonymousOpensNothing()
    {
        await using var node = await Node.StartAsync(
            "open", map: app => app.MapImAdmin("/im/admin").RequireAuthorization(Operators.Policy).WithMetadata(new AllowAnonymousAttribute()));
        Assert.All(await CallAllAsync(node, null), answer =>
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
            Assert.Contains("AllowAnonymous", answer.Text, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    [InlineData("oscar", HttpStatusCode.Forbidden)]
    public async Task WhoeverThePolicyDoesNotLetInIsTurnedAwayEverywhere(string? name, HttpStatusCode expected)
    {
        await using var node = await Node.StartAsync("guarded");
        Assert.All(await CallAllAsync(node, name), answer => Assert.Equal(expected, answer.Status));
    }

    [Fact]
    public async Task WithoutAuthorizationMiddlewareNobodyGetsInEvenIfTheHostSilencesItsCheck()
    {
        await using var node = await Node.StartAsync(
            "bare",
            map: app =>
            {
                // As if it had been added: then nobody adds it.
                ((IApplicationBuilder)app).Properties["__AuthorizationMiddlewareSet"] = true;
                app.MapImAdmin("/im/admin").RequireAuthorization(Operators.Policy);
            },
            services: services => services.Configure<RouteOptions>(options => options.SuppressCheckForUnhandledSecurityMetadata = true));
        Assert.All(await CallAllAsync(node, Operators.Administrator), answer =>
        {
            Assert.Equal(HttpStatusCode.Forbidden, answer.Status);
            Assert.Contains("UseAuthorization", answer.Text, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task APolicyThatIsGivenAsAnObjectCountsToo()
    {
        await using var node = await Node.StartAsync(
            "object", map: app => app.MapImAdmin("/im/admin").RequireAuthorization(policy => policy.RequireUserName(Operators.Administrator)));
        using var client = TwoNodes.CreateOperator(node);
        using var response = await client.GetAsync("nodes").WaitAsync(Limit);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task AChangeWithoutTheJsonContentTypeIsRefused()
    {
        await using var node = await Node.StartAsync("csrf");
        using var client = TwoNodes.CreateOperator(node);
        foreach (var (method, path) in EndpointsOf(node).Where(one => one.Method != "GET"))
        {
            foreach (var type in new[] { "text/plain", "application/x-www-form-urlencoded", null })
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), Fill(path));
                request.Content = new ByteArrayContent("{}"u8.ToArray());
                request.Content.Headers.ContentType = type is null ? null : new MediaTypeHeaderValue(type);
                using var response = await client.SendAsync(request).WaitAsync(Limit);
                Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
            }
        }
    }

    private static async Task<List<(HttpStatusCode Status, string Text)>> CallAllAsync(Node node, string? name)
    {
        using var client = TwoNodes.CreateOperator(node, name);
        var answers = new List<(HttpStatusCode, string)>();
        foreach (var (method, path) in EndpointsOf(node))
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), Fill(path));
            request.Content = method == "GET" ? null : JsonContent.Create(new { });
            using var response = await client.SendAsync(request).WaitAsync(Limit);
            answers.Add((response.StatusCode, await response.Content.ReadAsStringAsync()));
        }

        return answers;
    }

    internal static List<(string Method, string Path)> EndpointsOf(Node node) =>
    [
        .. node.Endpoints.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.StartsWith("/im/admin", StringComparison.Ordinal))
            .SelectMany(endpoint => endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods.Select(method => (method, endpoint.RoutePattern.RawText!))),
    ];

    private static string Fill(string pattern) => pattern.Replace("{node}", "x", StringComparison.Ordinal).Replace("{id}", "x", StringComparison.Ordinal);
}
