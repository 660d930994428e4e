using System.Diagnostics;
using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Clients;
using Im.LoadGenerator.Server;

namespace Im.LoadGenerator.Output;

/// <summary>From one moment to another: time, processor time, allocations, messages, deliveries and latencies.</summary>
internal sealed class Measurement
{
    private readonly World _world;
    private readonly IServer _server;
    private readonly long _startedAt;
    private readonly double? _serverCpu;
    private readonly double? _storeCpu;
    private readonly TimeSpan _clientCpu;
    private readonly long? _allocated;
    private readonly long _delivered;
    private readonly long _acked;

    private Measurement(World world, IServer server)
    {
        _world = world;
        _server = server;
        var ledger = world.Ledger;
        ledger.Deliveries.Clear();
        ledger.LastDeliveries.Clear();
        ledger.Acks.Clear();
        _delivered = ledger.Delivered;
        _acked = ledger.Acked;
        _allocated = server.GetAllocatedBytes();
        _serverCpu = Cpu(server.Pid);
        _storeCpu = Cpu(server.StorePid);
        _clientCpu = Process.GetCurrentProcess().TotalProcessorTime;
        _startedAt = Stopwatch.GetTimestamp();
    }

    public static Measurement Start(World world, IServer server) => new(world, server);

    /// <summary>Ends it and fills in the report.</summary>
    public void End(Report report)
    {
        var ledger = _world.Ledger;
        report.Seconds = Stopwatch.GetElapsedTime(_startedAt).TotalSeconds;
        report.ServerCpuSeconds = Cpu(_server.Pid) - _serverCpu;
        report.StoreCpuSeconds = _server.StorePid is null && report.Store is not null ? 0 : Cpu(_server.StorePid) - _storeCpu;
        report.ClientCpuSeconds = (Process.GetCurrentProcess().TotalProcessorTime - _clientCpu).TotalSeconds;
        report.Messages = ledger.Acked - _acked;
        report.Deliveries = ledger.Delivered - _delivered;
        report.MessagesPerSecond = report.Messages / report.Seconds;
        report.DeliveriesPerSecond = report.Deliveries / report.Seconds;
        report.ServerCpuSecondsPerMillion = report.Deliveries > 0 ? report.ServerCpuSeconds * 1e6 / report.Deliveries : null;
        report.ServerAllocatedBytesPerDelivery = report.Deliveries > 0 ? (double?)(_server.GetAllocatedBytes() - _allocated) / report.Deliveries : null;
        report.ServerRssMb = _server.Pid is { } pid ? ProcessFigures.ResidentBytes(pid) / 1e6 : null;
        SetLatency(report, ledger.Deliveries);
        report.LastP50Ms = ledger.LastDeliveries.GetMs(0.5);
        report.LastP99Ms = ledger.LastDeliveries.GetMs(0.99);
        report.AckP50Ms = ledger.Acks.GetMs(0.5);
        report.AckP99Ms = ledger.Acks.GetMs(0.99);
    }

    public static void SetLatency(Report report, Histogram histogram)
    {
        report.P50Ms = histogram.GetMs(0.5);
        report.P99Ms = histogram.GetMs(0.99);
        report.P999Ms = histogram.GetMs(0.999);
    }

    private static double? Cpu(int? pid) => pid is { } id ? ProcessFigures.CpuSeconds(id) : null;
}
