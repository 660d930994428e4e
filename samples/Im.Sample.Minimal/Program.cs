using Im.Users;

var builder = WebApplication.CreateBuilder(args);

builder.Services.AddImServer()
    .AddUserProvider<DemoUserProvider>()
    .AddTcpTransport(o => o.Port = builder.Configuration.GetValue("Im:TcpPort", 9000))
    .AddWebSocketTransport();

var app = builder.Build();
app.MapIm("/im");
app.MapGet("/", () => "IM is at /im. The README shows what to type into a WebSocket console.");
app.Run();

/// <summary>FOR DEMONSTRATION ONLY: the token "alice" signs in as alice, so anybody is anybody. A real host verifies the token.</summary>
internal sealed class DemoUserProvider : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(IsName(request.Token) ? AuthenticationResult.Success(request.Token) : AuthenticationResult.BadToken());

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Where(IsName).Select(id => new ImUser(id))]);

    private static bool IsName(string text) => text.Length is > 0 and <= 32 && text.All(char.IsAsciiLetterLower);
}
