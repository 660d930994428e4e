using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Im.Docs.Snippets;

/// <summary>The snippets of the transports' READMEs.</summary>
internal static class TransportSnippets
{
    public static void Tcp(WebApplicationBuilder builder)
    {
        builder.Services.AddImServer()
            .AddUserProvider<MyUserProvider>()
            .AddTcpTransport(o => o.Port = 9000);            // every address, IPv6 and IPv4
    }

    public static void TcpEndpoints(IImServerBuilder im, string password)
    {
        im
            .AddTcpTransport(o =>
            {
                o.Endpoints.Add(new() { Address = IPAddress.Loopback, Port = 9000 });
                o.Endpoints.Add(new() { Port = 9443, Certificate = X509CertificateLoader.LoadPkcs12FromFile("im.pfx", password) });
            })
            ;
    }

    public static void WebSockets(WebApplicationBuilder builder)
    {
        builder.Services.AddImServer().AddUserProvider<MyUserProvider>().AddWebSocketTransport();
        var app = builder.Build();
        app.MapIm("/im");                        // .RequireAuthorization() where the host's cookie or bearer token says who it is
    }
}
