using BenchmarkDotNet.Running;
using Im.Benchmarks.Stores;

if (args is ["size"])
{
    await SizeReport.RunAsync();
    return;
}

BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
