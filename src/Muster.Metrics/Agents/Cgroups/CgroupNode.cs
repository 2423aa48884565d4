using Muster.Linux;
using Muster.Metrics.Agents.Text;
using Muster.Metrics.Names;

namespace Muster.Metrics.Agents.Cgroups;

/// <summary>One control group in one hierarchy, with the descriptors of its files that are kept open. Its lock guards them.</summary>
internal sealed class CgroupNode(CgroupNode? parent, string path, MetricInstance instance, string folder)
{
    private readonly Lock _gate = new();
    private KeptFile[] _files = [];
    private bool _isGone;

    public CgroupNode? Parent => parent;

    /// <summary>Its path below the mount point: empty for the root, else with a slash in front.</summary>
    public string Path => path;

    /// <summary>Its number and name as an instance.</summary>
    public MetricInstance Instance => instance;

    /// <summary>The directory.</summary>
    public string Folder => folder;

    /// <summary>The identification of the container that its path names, found once; empty for none.</summary>
    public string ContainerId => field ??= ContainerGroups.Identification(path);

    /// <summary>The number of the inotify watch, -1 without one.</summary>
    public int Watch { get; set; } = -1;

    /// <summary>The directory's inode once somebody asked for it, else 0. A group made anew has another.</summary>
    public ulong Inode { get; set; }

    /// <summary>The groups below it at this moment.</summary>
    public CgroupNode[] ChildList { get; set; } = [];

    /// <summary>Changed by the tree alone, under its lock.</summary>
    public Dictionary<string, CgroupNode> Children { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// Reads one of its files, through a descriptor that is kept where the budget allows it. The text is the caller's to dispose.
    /// </summary>
    public KernelText Read(GroupFile file, DescriptorBudget budget)
    {
        lock (_gate)
        {
            if (_isGone)
            {
                return KernelText.Failed(-Errno.ENODEV);
            }

            if (_files.Length <= file.Slot)
            {
                Array.Resize(ref _files, file.Slot + 1);
            }

            ref var kept = ref _files[file.Slot];
            if (kept.IsOpen)
            {
                kept.LastUse = budget.Now;
                var text = KernelText.Read(kept.Descriptor, whole: true);
                if (text.Error != -Errno.ENODEV)
                {
                    return text;
                }

                _ = FileCalls.Close(kept.Descriptor);
                kept = default;
                return text;
            }

            if (kept.IsMissing)
            {
                return KernelText.Failed(-Errno.ENOENT);
            }

            var descriptor = FileCalls.Open(FileCalls.AtCurrentDirectory, FileCalls.Terminated(folder + "/" + file.Name), FileCalls.ReadOnly);
            if (descriptor < 0)
            {
                // Files of a group come and go only with its parent's list of controllers, which changes the tree.
                kept.IsMissing = FileCalls.Error == Errno.ENOENT;
                return KernelText.Failed(-FileCalls.Error);
            }

            var first = KernelText.Read(descriptor, whole: true);
            if (budget.TryKeep(this, file.Slot))
            {
                kept = new KeptFile { Number = descriptor + 1, LastUse = budget.Now };
            }
            else
            {
                _ = FileCalls.Close(descriptor);
            }

            return first;
        }
    }

    /// <summary>Closes a descriptor that was not used since <paramref name="before"/>; false when it is in use or was.</summary>
    public bool TryGiveUp(int slot, long before)
    {
        if (!_gate.TryEnter())
        {
            return false;
        }

        try
        {
            if (slot >= _files.Length || !_files[slot].IsOpen)
            {
                return true;
            }

            if (_files[slot].LastUse >= before)
            {
                return false;
            }

            _ = FileCalls.Close(_files[slot].Descriptor);
            _files[slot] = default;
            return true;
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>The group is gone: closes everything.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _isGone = true;
            for (var i = 0; i < _files.Length; i++)
            {
                if (_files[i].IsOpen)
                {
                    _ = FileCalls.Close(_files[i].Descriptor);
                    _files[i] = default;
                }
            }
        }
    }

    private struct KeptFile
    {
        /// <summary>One more than the descriptor, so that an empty slot is 0.</summary>
        public int Number;
        public long LastUse;
        public bool IsMissing;

        public readonly bool IsOpen => Number > 0;

        public readonly int Descriptor => Number - 1;
    }
}
