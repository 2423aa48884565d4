using Muster.Cli.CommandLine;
using Muster.Containers.Manifests;
using Muster.Containers.Pods;
using Muster.Core;
using Muster.Images;
using Muster.Images.Trust;
using Muster.Linux;

namespace Muster.Cli.Commands.Pods;

internal static class RunCommand
{
    public static readonly Command Run = new()
    {
        Words = ["run"],
        Summary = "Fetch, verify and run one or more images as a pod",
        Usage = "[POD-OPTION…] IMAGE [IMAGE-OPTION…] [-- ARGUMENT…] [--- IMAGE …]",
        Description = $"""
            The pod runs in the foreground and muster's process becomes its supervisor: signals, the exit status and
            standard input and output are the app's. With --detach it runs on by itself.
            {RunOptions.GrammarText}
            The exit status is the app's: 128+n after signal n, 126 and 127 when its program cannot be executed or found;
            254 is Muster's own error, 2 a wrong command line.
            """,
        Example = """
            muster run oci:./busybox -- echo hello
            muster run --detach --name=web -p 8080:80 docker://registry.example:5000/nginx:1.27
            muster run app.aci --memory=512M -- --verbose --- sidecar.aci
            """,
        Options = [.. RunOptions.Start, .. RunOptions.Pod, .. RunOptions.App],
        RawArguments = true,
        Run = (call, ct) => StartAsync(call, prepareOnly: false, ct),
    };

    public static readonly Command Prepare = new()
    {
        Words = ["prepare"],
        Summary = "Fetch, verify and resolve a pod without starting it",
        Usage = "[POD-OPTION…] IMAGE [IMAGE-OPTION…] [-- ARGUMENT…] [--- IMAGE …]",
        Description = $"Prints the pod's UUID for muster run-prepared.\n{RunOptions.GrammarText}",
        Example = "uuid=$(muster prepare oci:./busybox -- sleep 60)\nmuster run-prepared $uuid",
        // Nothing is started, so there is nothing to detach from.
        Options = [.. RunOptions.Start.Where(o => o.Name != "detach"), .. RunOptions.Pod, .. RunOptions.App],
        RawArguments = true,
        Run = (call, ct) => StartAsync(call, prepareOnly: true, ct),
    };

    private static async Task<int> StartAsync(Invocation call, bool prepareOnly, CancellationToken ct)
    {
        var grammar = new ImageGrammar(call.Command);
        grammar.Parse(call.Arguments);
        if (grammar.Pod.ContainsKey("help"))
        {
            call.Terminal.Out.Write(HelpText.For(call.Command));
            return 0;
        }

        call = call.With(grammar.Pod);
        PodDoor.RequireRoot(call.Command.Name);
        FileCalls.TakeCommonUmask();
        var door = new PodDoor(call);
        var detach = prepareOnly || grammar.Pod.ContainsKey("detach");
        PodStarting.CheckFormat(call, detach, "leave it out, or add --detach");
        var builder = new SpecBuilder(grammar.Pod, !detach, SettingsFile.Load(call.Root));
        var images = new ImageStore(call.Root, call.Time);
        // Nobody collects an image between its being found and the pod's record naming it.
        using var held = await images.HoldAsync(ct);
        var spec = await BuildAsync(door, grammar, builder, images, ct);
        using var pod = new PodPreparation(door.Store, call.Time, door.Warn).Prepare(spec);
        if (SpecBuilder.Last(grammar.Pod, "uuid-file-save") is { } file)
        {
            try
            {
                PodStarting.SaveUuid(file, pod);
            }
            catch (MusterException)
            {
                door.Ending.Discard(pod);
                throw;
            }
        }

        if (prepareOnly)
        {
            pod.MoveTo(PodStore.Prepared);
            PodStarting.Tell(call, pod);
            return 0;
        }

        var status = await PodStarting.StartAsync(door, pod, detach, ct);
        PodStarting.Tell(call, pod);
        return status;
    }

    private static async Task<PodSpec> BuildAsync(PodDoor door, ImageGrammar grammar, SpecBuilder builder, ImageStore images, CancellationToken ct)
    {
        var manifest = SpecBuilder.Last(grammar.Pod, "pod-manifest");
        if (manifest is not null && grammar.Images.Count > 0)
        {
            throw new MusterException(ErrorKind.Usage, "--pod-manifest names the pod's images itself: leave the images out");
        }

        if (manifest is null && grammar.Images.Count == 0)
        {
            throw new MusterException(ErrorKind.Usage, $"No image was named: usage is muster {door.Call.Command.Name} {door.Call.Command.Usage}");
        }

        var fetcher = new ImageFetcher(images);
        var judge = new TrustJudge(door.Call.Root, door.Call.Time);
        async Task<StoredImage> Find(string reference, string? signature)
        {
            var image = await fetcher.ResolveAsync(reference, new FetchOptions
            {
                Pull = FetchOptions.ParsePull(SpecBuilder.Last(grammar.Pod, "pull-policy")),
                Insecure = builder.Insecure,
                SignatureFile = signature,
                Warn = door.Call.Terminal.Warn,
            }, ct);
            judge.JudgeAgain(image);
            images.MarkUsed(image.Record);
            return image;
        }

        if (manifest is not null)
        {
            return await FromManifestAsync(builder, manifest, images, reference => Find(reference, null), ct);
        }

        var found = new List<StoredImage>();
        foreach (var words in grammar.Images)
        {
            found.Add(await Find(words.Reference, SpecBuilder.Last(words.Values, "signature")));
        }

        return builder.Build(grammar.Images, found, images);
    }

    private static async Task<PodSpec> FromManifestAsync(SpecBuilder builder, string file, ImageStore images, Func<string, Task<StoredImage>> find, CancellationToken ct)
    {
        var manifest = PodManifestReader.Read(GivenFile.Read(file, "a pod manifest", PodManifestReader.MaxBytes), file);
        var apps = new List<AppSpec>();
        foreach (var app in manifest.Apps)
        {
            var image = await find(app.ImageId);
            apps.Add(new AppSpec
            {
                Image = image,
                Layers = images.LowerDirectories(image.Record),
                Name = app.Name,
                Template = app.App,
                ReadOnlyRoot = app.ReadOnlyRoot,
                Mounts = app.Mounts,
                Annotations = app.Annotations,
            });
        }

        var pod = builder.Pod();
        return pod with
        {
            Apps = apps,
            Volumes = [.. manifest.Volumes.Where(v => !pod.Volumes.Any(own => own.Name == v.Name)), .. pod.Volumes],
            Isolators = manifest.Isolators,
            Annotations = manifest.Annotations,
            Ports = [.. manifest.Ports, .. pod.Ports],
            UserAnnotations = manifest.UserAnnotations,
            UserLabels = manifest.UserLabels,
        };
    }
}
