using System.Diagnostics;
using System.Globalization;

namespace Muster.Fuzz;

/// <summary>The verbs of <c>Muster.Fuzz</c>. Status 0: no fault; 1: a fault, its input in a file; 2: wrong words.</summary>
internal static class FuzzLoop
{
    /// <summary>Inputs kept in memory beside the seeds: more make each one be changed too seldom.</summary>
    private const int MaxCorpus = 4096;

    /// <summary>A target that takes longer for one small input has a fault too.</summary>
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(10);

    public static int List()
    {
        foreach (var (name, target) in FuzzTargets.All)
        {
            Console.WriteLine($"{name}  {target.Seeds.Count} seeds");
        }

        return 0;
    }

    public static int Usage()
    {
        Console.Error.WriteLine("usage: Muster.Fuzz list | run TARGET FILE… | loop TARGET [--seconds N] [--seed S] [--corpus DIR]");
        return 2;
    }

    /// <summary>Gives files to a target, as when a fault is looked at again.</summary>
    public static int Replay(string name, IReadOnlyList<string> files)
    {
        if (!FuzzTargets.All.TryGetValue(name, out var target))
        {
            return Unknown(name);
        }

        var faults = 0;
        foreach (var file in files)
        {
            var fault = Fault(target.Run, File.ReadAllBytes(file));
            faults += fault is null ? 0 : 1;
            Console.WriteLine(fault is null ? $"{file}: no fault" : $"{file}: {fault}");
        }

        return faults == 0 ? 0 : 1;
    }

    /// <summary>Mutates the seeds and the corpus folder's files for a time; the first fault ends it.</summary>
    public static int Loop(string name, IReadOnlyList<string> options)
    {
        var (seconds, seed, folder) = (10, 1, Path.Combine("fuzz-corpus", name));
        for (var i = 0; i < options.Count; i += 2)
        {
            var value = i + 1 < options.Count ? options[i + 1] : "";
            switch (options[i])
            {
                case "--seconds" when int.TryParse(value, CultureInfo.InvariantCulture, out seconds) && seconds > 0:
                case "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out seed):
                    break;
                case "--corpus" when value.Length > 0:
                    folder = value;
                    break;
                default:
                    return Usage();
            }
        }

        return FuzzTargets.All.TryGetValue(name, out var target) ? Loop(name, target.Run, target.Seeds, TimeSpan.FromSeconds(seconds), seed, folder) : Unknown(name);
    }

    private static int Loop(string name, FuzzTarget target, IReadOnlyList<byte[]> seeds, TimeSpan time, int seed, string folder)
    {
        Directory.CreateDirectory(folder);
        var corpus = new List<byte[]>(seeds);
        corpus.AddRange(Directory.GetFiles(folder).Order(StringComparer.Ordinal).Take(MaxCorpus).Select(File.ReadAllBytes));
        var random = new Random(seed);
        var watch = Stopwatch.StartNew();
        var tried = 0L;
        for (; watch.Elapsed < time; tried++)
        {
            var input = tried < corpus.Count ? corpus[(int)tried] : Mutation.Once(corpus, random);
            if (Fault(target, input) is { } fault)
            {
                var file = Path.Combine(folder, $"fault-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(input))[..12]}");
                File.WriteAllBytes(file, input);
                Console.WriteLine($"{name}: fault after {tried} inputs, seed {seed}: {file}\n{fault}");
                return 1;
            }

            // Without coverage to go by, chance decides what is changed further.
            if (corpus.Count < MaxCorpus && random.Next(64) == 0)
            {
                corpus.Add(input);
            }
        }

        Console.WriteLine($"{name}: no fault in {tried} inputs, seed {seed}");
        return 0;
    }

    private static string? Fault(FuzzTarget target, byte[] input)
    {
        var watch = Stopwatch.StartNew();
        try
        {
            target(input);
        }
#pragma warning disable CA1031 // Whatever a parser throws is what is looked for.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e.ToString();
        }

        return watch.Elapsed > Slow ? $"took {watch.Elapsed}" : null;
    }

    private static int Unknown(string name)
    {
        Console.Error.WriteLine($"There is no target \"{name}\": see Muster.Fuzz list");
        return 2;
    }
}
