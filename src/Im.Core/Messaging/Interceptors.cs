using Im.Diagnostics;
using Im.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Messaging;

/// <summary>The host's interceptors, in the order of their registration.</summary>
internal sealed class Interceptors(
    IEnumerable<IMessageInterceptor> interceptors, TimeProvider time, IOptions<ImServerOptions> options, ILogger<Interceptors> logger)
{
    private readonly IMessageInterceptor[] _interceptors = [.. interceptors];
    private readonly TimeSpan _timeout = options.Value.InterceptorTimeout;
    private readonly int _maxBodyBytes = options.Value.MaxBodyBytes;

    public bool Any => _interceptors.Length > 0;

    /// <summary>Lets them see the message before it is stored; their changes are applied to it. A rejection, or null.</summary>
    public async ValueTask<(ImErrorCode Code, string Message)?> RunAsync(PendingMessage message, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        foreach (var interceptor in _interceptors)
        {
            InterceptionResult result;
            try
            {
                // WaitAsync: one that ignores its token is not waited for either.
                result = await interceptor.BeforeStoreAsync(Describe(message), either.Token).AsTask().WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (timeout.IsCancellationRequested)
            {
                return (ImErrorCode.InterceptorTimeout, "The host took too long to accept the message; send it again.");
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                Log.InterceptorFailed(logger, interceptor.GetType().Name, exception);
                return (ImErrorCode.Internal, "The host failed to accept the message; send it again.");
            }

            if (result.Code != ImErrorCode.None)
            {
                return (result.Code, result.Message ?? "The host rejected the message.");
            }

            if (result.Content is { } content)
            {
                message.Content = ContentMapping.ToWire(content);
                if (ContentRules.Check(message.Content, _maxBodyBytes) is { } problem)
                {
                    return (problem.Code, "What the host made of the message cannot be stored. " + problem.Message);
                }
            }
        }

        return null;
    }

    /// <summary>Tells them what was stored.</summary>
    public async ValueTask NotifyAsync(IReadOnlyList<InterceptedMessage> messages, CancellationToken cancellationToken)
    {
        foreach (var interceptor in _interceptors)
        {
            try
            {
                await interceptor.AfterStoreAsync(messages, cancellationToken);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                Log.NotifierFailed(logger, interceptor.GetType().Name, messages.Count, exception);
            }
        }
    }

    public static InterceptedMessage Describe(PendingMessage message) => new(
        message.SenderId,
        message.SenderDeviceId,
        message.ConversationId,
        message.ClientMessageId,
        ContentMapping.ToModel(message.Content),
        message.NonPersistent);
}
