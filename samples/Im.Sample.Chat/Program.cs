using System.Net;
using System.Net.Sockets;
using Im.Sample.Chat.Accounts;
using Im.Sample.Chat.Data;
using Im.Sample.Chat.Groups;
using Im.Sample.Chat.Hosting;
using Im.Sample.Chat.Orders;
using Im.Sample.Chat.Pictures;
using Im.Transport.Tcp;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.FileProviders;

var builder = WebApplication.CreateBuilder(args);
if (string.IsNullOrEmpty(builder.Configuration["urls"]) && string.IsNullOrEmpty(builder.Configuration["http_ports"])
    && !builder.Configuration.GetSection("Kestrel:Endpoints").Exists())
{
    builder.WebHost.UseUrls("http://127.0.0.1:5080");
}

// ---- what an app has anyway: its data, its users, its cookie
var folder = new DataFolder(builder.Environment.ContentRootPath, builder.Configuration["Data:Path"]);
builder.Services.AddOptions<ChatOptions>().BindConfiguration("Chat").ValidateDataAnnotations().ValidateOnStart();
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton(folder).AddSingleton<ChatDatabase>().AddSingleton<UserTable>().AddSingleton<SignInTable>().AddSingleton<GroupTable>();
builder.Services.AddSingleton(services => services.GetRequiredService<ChatDatabase>().DataSource).AddSingleton<OrderTable>();
builder.Services.AddSingleton<PictureStore>().AddSingleton<PictureAccess>().AddSingleton<GroupService>().AddSingleton<ImTokens>();
builder.Services.AddSingleton<IPasswordHasher<ChatUser>, PasswordHasher<ChatUser>>().AddSingleton<DummyPassword>();
builder.Services.AddDataProtection().SetApplicationName("Im.Sample.Chat").PersistKeysToFileSystem(new DirectoryInfo(folder.Keys));
builder.Services.AddChatRateLimits();
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(o =>
{
    o.Cookie.Name = "im-chat";
    o.Cookie.HttpOnly = true;
    o.Cookie.SameSite = SameSiteMode.Strict;
    o.ExpireTimeSpan = TimeSpan.FromDays(14);
    o.SlidingExpiration = true;
    o.Events.OnRedirectToLogin = context => Answer(context, StatusCodes.Status401Unauthorized);
    o.Events.OnRedirectToAccessDenied = context => Answer(context, StatusCodes.Status403Forbidden);
    o.Events.OnValidatePrincipal = RejectWhoSignedOut;
});
builder.Services.AddAuthorization(o => o.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());

// ---- what IM adds
builder.Services.AddImServer()
    .AddUserProvider<ChatUserProvider>()
    .UseSqlite(folder.Messages)
    .AddMessageInterceptor<PictureSharing>()
    .AddImOutbox()
    .AddWebSocketTransport()
    .AddTcpTransport(o => o.Endpoints.Add(new TcpEndpointOptions
    {
        // As the page: this machine only, until there is TLS.
        Address = IPAddress.Loopback,
        Port = builder.Configuration.GetValue("Im:TcpPort", 9000),
    }));
builder.Services.AddHostedService<GroupReconciler>();

var app = builder.Build();
app.UseSecurityHeaders();
app.UseDefaultFiles();
app.UseStaticFiles(new StaticFileOptions { OnPrepareResponse = Revalidate });
app.UseStaticFiles(new StaticFileOptions
{
    RequestPath = "/lib",
    FileProvider = new PhysicalFileProvider(Path.Combine(AppContext.BaseDirectory, "lib")),
    OnPrepareResponse = Revalidate,
});
app.UseSameSiteRequests();
app.UseAuthentication();
app.UseRateLimiter();
app.UseAuthorization();
app.MapAccounts();
app.MapContacts();
app.MapGroups();
app.MapPictures();
app.MapOrders();
app.MapIm("/im").RequireAuthorization();
try
{
    app.Run();
}
catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
{
    // The page's own port has an error of its own.
    Console.Error.WriteLine(
        $"The port for native clients is in use by another program ({e.Message}) "
        + "Start the sample with --Im:TcpPort=0 for any free port, or with another number.");
    Environment.ExitCode = 1;
}

// An API answers with a status; a redirect is for pages.
static Task Answer(Microsoft.AspNetCore.Authentication.RedirectContext<CookieAuthenticationOptions> context, int status)
{
    context.Response.StatusCode = status;
    return context.Response.WriteAsJsonAsync(new Problem("Sign in first."), context.HttpContext.RequestAborted);
}

// A cookie is good as long as its sign-in: a copy of it is worth nothing once its user has signed out.
static Task RejectWhoSignedOut(CookieValidatePrincipalContext context)
{
    var user = context.Principal;
    var signIns = context.HttpContext.RequestServices.GetRequiredService<SignInTable>();
    if (user is null || !signIns.IsValid(user.SignInId(), user.UserId()))
    {
        context.RejectPrincipal();
    }

    return Task.CompletedTask;
}

// The files have no version in their names, so a browser asks whether they changed.
static void Revalidate(Microsoft.AspNetCore.StaticFiles.StaticFileResponseContext context) =>
    context.Context.Response.Headers.CacheControl = "no-cache";
