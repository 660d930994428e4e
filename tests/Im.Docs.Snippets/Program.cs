using Im.Users;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddImServer().AddUserProvider<DemoUsers>().UseSqlite("im.db").AddTcpTransport().AddWebSocketTransport();
var app = builder.Build();
app.MapIm("/im");
app.Run();

// For trying it out: the token is the user's id. Yours looks at a cookie, a JWT or a table.
public sealed class DemoUsers : IUserProvider
{
    public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(request.Token == "" ? AuthenticationResult.BadToken() : AuthenticationResult.Success(request.Token));

    public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Select(id => new ImUser(id))]);
}
