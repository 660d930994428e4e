using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Im.Transport.Tcp.Internal;

/// <summary>Sends segments with one system call and without allocating.</summary>
/// <remarks>One send at a time; lives in a pooled <see cref="PacketBatch"/>.
/// The base class's <c>true</c>: no execution context is captured.</remarks>
internal sealed class SocketSender() : SocketAsyncEventArgs(true), IValueTaskSource<int>
{
    // For up to 8 segments the runtime builds its vector on the stack.
    public const int MaxSegments = 8;

    private ManualResetValueTaskSourceCore<int> _completion;

    /// <summary>Sends 1 to <see cref="MaxSegments"/> segments and returns how many bytes went; perhaps not all.</summary>
    public ValueTask<int> SendAsync(Socket socket, List<ArraySegment<byte>> segments)
    {
        if (segments.Count == 1)
        {
            BufferList = null;
            SetBuffer(segments[0].Array, segments[0].Offset, segments[0].Count);
        }
        else
        {
            SetBuffer(null, 0, 0);
            BufferList = segments;
        }

        _completion.Reset();
        if (socket.SendAsync(this))
        {
            return new ValueTask<int>(this, _completion.Version);
        }

        return SocketError == SocketError.Success
            ? new ValueTask<int>(BytesTransferred)
            : ValueTask.FromException<int>(new SocketException((int)SocketError));
    }

    /// <summary>Lets go of the buffers.</summary>
    public void Clear()
    {
        BufferList = null;
        SetBuffer(null, 0, 0);
    }

    int IValueTaskSource<int>.GetResult(short token) => _completion.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);

    protected override void OnCompleted(SocketAsyncEventArgs e)
    {
        if (SocketError == SocketError.Success)
        {
            _completion.SetResult(BytesTransferred);
        }
        else
        {
            _completion.SetException(new SocketException((int)SocketError));
        }
    }
}
