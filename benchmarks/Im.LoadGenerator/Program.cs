using Im.LoadGenerator;
using Im.LoadGenerator.Clients;
using Im.LoadGenerator.Output;

const int Clean = 0;
const int Unclean = 1;
const int Usage = 2;
const int Failed = 3;

if (args.Length == 0 || args.Contains("--help") || args.Contains("-h"))
{
    Console.WriteLine(Help.Text);
    return args.Length == 0 ? Usage : Clean;
}

if (args is ["table", var path])
{
    // What table.sh collected.
    MarkdownTable.Write(File.ReadLines(path), Console.Out);
    return Clean;
}

try
{
    var options = OptionsParser.Parse(args);
    OpenFiles.Require(Math.Max(options.Connections, options.Members) + 1000);
    var report = Runner.Run(options);
    if (options.Json)
    {
        Console.WriteLine(report.ToJson());
    }
    else
    {
        Text.Write(report, Console.Out);
    }

    return report.IsClean ? Clean : Unclean;
}
catch (UsageException exception)
{
    Console.Error.WriteLine(exception.Message);
    return Usage;
}
catch (RunFailedException exception)
{
    Console.Error.WriteLine(exception.Message);
    return Failed;
}
