using Muster.Core;
using Muster.Linux;

namespace Muster.Network;

/// <summary>A held flock; released by disposing and by every way a process can end.</summary>
internal sealed class HeldLock : IDisposable
{
    private int _descriptor;

    private HeldLock(int descriptor) => _descriptor = descriptor;

    /// <summary>The lock's open file.</summary>
    public int Descriptor => _descriptor;

    /// <summary>Waits for the lock of a file, which is made when it is not there.</summary>
    public static HeldLock Wait(string path, bool shared = false)
    {
        var descriptor = OpenFile(path);
        try
        {
            DescriptorLock.Acquire(descriptor, shared);
            return new HeldLock(descriptor);
        }
        catch
        {
            Descriptors.Close(descriptor);
            throw;
        }
    }

    /// <summary>Waits for the lock of an existing file or folder; null when it is gone.</summary>
    public static HeldLock? WaitExisting(string path)
    {
        int descriptor;
        try
        {
            descriptor = DescriptorLock.Open(path);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            return null;
        }

        try
        {
            DescriptorLock.Acquire(descriptor);
            return new HeldLock(descriptor);
        }
        catch
        {
            Descriptors.Close(descriptor);
            throw;
        }
    }

    /// <summary>The lock of an existing file or folder; null when somebody holds it or the file is gone.</summary>
    public static HeldLock? TryExisting(string path)
    {
        int descriptor;
        try
        {
            descriptor = DescriptorLock.Open(path);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            return null;
        }

        if (DescriptorLock.TryAcquire(descriptor))
        {
            return new HeldLock(descriptor);
        }

        Descriptors.Close(descriptor);
        return null;
    }

    /// <summary>The lock that all roots of this host share.</summary>
    public static HeldLock Host()
    {
        try
        {
            return Wait(NetworkPaths.HostLock);
        }
        catch (LinuxException e) when (e.Errno is Errno.EACCES or Errno.EPERM)
        {
            throw new MusterException(ErrorKind.Forbidden, $"Networks cannot be changed because {NetworkPaths.HostLock} cannot be opened: run as root", e);
        }
    }

    public void Dispose()
    {
        var descriptor = Interlocked.Exchange(ref _descriptor, -1);
        Descriptors.Close(descriptor);
    }

    private static int OpenFile(string path)
    {
        try
        {
            return DescriptorLock.Open(path, create: true);
        }
        catch (LinuxException e) when (e.Errno == Errno.ENOENT)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return DescriptorLock.Open(path, create: true);
        }
    }
}
