namespace Muster.Metrics.Agents.Cgroups;

/// <summary>The metrics of block I/O of control groups, version 1. One metric a line, as <see cref="Tables.MetricTable"/> reads them.</summary>
internal static class BlockIoTable
{
    public const string Lines = """
        cgroup.blkio.all.io_merged.async                 49.63  26 u64    counter  count io_merged.async                 | Requests merged with others: asynchronous ones, of the group on all devices
        cgroup.blkio.all.io_merged.read                  49.60  26 u64    counter  count io_merged.read                  | Requests merged with others: reads, of the group on all devices
        cgroup.blkio.all.io_merged.sync                  49.62  26 u64    counter  count io_merged.sync                  | Requests merged with others: synchronous ones, of the group on all devices
        cgroup.blkio.all.io_merged.total                 49.64  26 u64    counter  count io_merged.total                 | Requests merged with others: all of them, of the group on all devices
        cgroup.blkio.all.io_merged.write                 49.61  26 u64    counter  count io_merged.write                 | Requests merged with others: writes, of the group on all devices
        cgroup.blkio.all.io_queued.async                 49.68  26 u64    counter  count io_queued.async                 | Requests waiting: asynchronous ones, of the group on all devices
        cgroup.blkio.all.io_queued.read                  49.65  26 u64    counter  count io_queued.read                  | Requests waiting: reads, of the group on all devices
        cgroup.blkio.all.io_queued.sync                  49.67  26 u64    counter  count io_queued.sync                  | Requests waiting: synchronous ones, of the group on all devices
        cgroup.blkio.all.io_queued.total                 49.69  26 u64    counter  count io_queued.total                 | Requests waiting: all of them, of the group on all devices
        cgroup.blkio.all.io_queued.write                 49.66  26 u64    counter  count io_queued.write                 | Requests waiting: writes, of the group on all devices
        cgroup.blkio.all.io_service_bytes.async          49.73  26 u64    counter  B     io_service_bytes.async          | Bytes of requests done: asynchronous ones, of the group on all devices
        cgroup.blkio.all.io_service_bytes.read           49.70  26 u64    counter  B     io_service_bytes.read           | Bytes of requests done: reads, of the group on all devices
        cgroup.blkio.all.io_service_bytes.sync           49.72  26 u64    counter  B     io_service_bytes.sync           | Bytes of requests done: synchronous ones, of the group on all devices
        cgroup.blkio.all.io_service_bytes.total          49.74  26 u64    counter  B     io_service_bytes.total          | Bytes of requests done: all of them, of the group on all devices
        cgroup.blkio.all.io_service_bytes.write          49.71  26 u64    counter  B     io_service_bytes.write          | Bytes of requests done: writes, of the group on all devices
        cgroup.blkio.all.io_service_time.async           49.83  26 u64    counter  ns    io_service_time.async           | Time from request to end: asynchronous ones, of the group on all devices
        cgroup.blkio.all.io_service_time.read            49.80  26 u64    counter  ns    io_service_time.read            | Time from request to end: reads, of the group on all devices
        cgroup.blkio.all.io_service_time.sync            49.82  26 u64    counter  ns    io_service_time.sync            | Time from request to end: synchronous ones, of the group on all devices
        cgroup.blkio.all.io_service_time.total           49.84  26 u64    counter  ns    io_service_time.total           | Time from request to end: all of them, of the group on all devices
        cgroup.blkio.all.io_service_time.write           49.81  26 u64    counter  ns    io_service_time.write           | Time from request to end: writes, of the group on all devices
        cgroup.blkio.all.io_serviced.async               49.78  26 u64    counter  count io_serviced.async               | Requests done: asynchronous ones, of the group on all devices
        cgroup.blkio.all.io_serviced.read                49.75  26 u64    counter  count io_serviced.read                | Requests done: reads, of the group on all devices
        cgroup.blkio.all.io_serviced.sync                49.77  26 u64    counter  count io_serviced.sync                | Requests done: synchronous ones, of the group on all devices
        cgroup.blkio.all.io_serviced.total               49.79  26 u64    counter  count io_serviced.total               | Requests done: all of them, of the group on all devices
        cgroup.blkio.all.io_serviced.write               49.76  26 u64    counter  count io_serviced.write               | Requests done: writes, of the group on all devices
        cgroup.blkio.all.io_wait_time.async              49.88  26 u64    counter  ns    io_wait_time.async              | Time that requests waited: asynchronous ones, of the group on all devices
        cgroup.blkio.all.io_wait_time.read               49.85  26 u64    counter  ns    io_wait_time.read               | Time that requests waited: reads, of the group on all devices
        cgroup.blkio.all.io_wait_time.sync               49.87  26 u64    counter  ns    io_wait_time.sync               | Time that requests waited: synchronous ones, of the group on all devices
        cgroup.blkio.all.io_wait_time.total              49.89  26 u64    counter  ns    io_wait_time.total              | Time that requests waited: all of them, of the group on all devices
        cgroup.blkio.all.io_wait_time.write              49.86  26 u64    counter  ns    io_wait_time.write              | Time that requests waited: writes, of the group on all devices
        cgroup.blkio.all.sectors                         49.90  26 u64    counter  KiB   sectors                         | Data transferred, of the group on all devices
        cgroup.blkio.all.throttle.io_service_bytes.async 49.95  26 u64    counter  B     throttle.io_service_bytes.async | Bytes of requests done, counted before the scheduler: asynchronous ones, of the group on all devices
        cgroup.blkio.all.throttle.io_service_bytes.read  49.92  26 u64    counter  B     throttle.io_service_bytes.read  | Bytes of requests done, counted before the scheduler: reads, of the group on all devices
        cgroup.blkio.all.throttle.io_service_bytes.sync  49.94  26 u64    counter  B     throttle.io_service_bytes.sync  | Bytes of requests done, counted before the scheduler: synchronous ones, of the group on all devices
        cgroup.blkio.all.throttle.io_service_bytes.total 49.96  26 u64    counter  B     throttle.io_service_bytes.total | Bytes of requests done, counted before the scheduler: all of them, of the group on all devices
        cgroup.blkio.all.throttle.io_service_bytes.write 49.93  26 u64    counter  B     throttle.io_service_bytes.write | Bytes of requests done, counted before the scheduler: writes, of the group on all devices
        cgroup.blkio.all.throttle.io_serviced.async      49.100 26 u64    counter  count throttle.io_serviced.async      | Requests done, counted before the scheduler: asynchronous ones, of the group on all devices
        cgroup.blkio.all.throttle.io_serviced.read       49.97  26 u64    counter  count throttle.io_serviced.read       | Requests done, counted before the scheduler: reads, of the group on all devices
        cgroup.blkio.all.throttle.io_serviced.sync       49.99  26 u64    counter  count throttle.io_serviced.sync       | Requests done, counted before the scheduler: synchronous ones, of the group on all devices
        cgroup.blkio.all.throttle.io_serviced.total      49.101 26 u64    counter  count throttle.io_serviced.total      | Requests done, counted before the scheduler: all of them, of the group on all devices
        cgroup.blkio.all.throttle.io_serviced.write      49.98  26 u64    counter  count throttle.io_serviced.write      | Requests done, counted before the scheduler: writes, of the group on all devices
        cgroup.blkio.all.time                            49.91  26 u64    counter  ms    time                            | Time that the device was given to the group, of the group on all devices
        cgroup.blkio.dev.io_merged.async                 49.3   27 u64    counter  count io_merged.async                 | Requests merged with others: asynchronous ones, of the group on the device
        cgroup.blkio.dev.io_merged.read                  49.0   27 u64    counter  count io_merged.read                  | Requests merged with others: reads, of the group on the device
        cgroup.blkio.dev.io_merged.sync                  49.2   27 u64    counter  count io_merged.sync                  | Requests merged with others: synchronous ones, of the group on the device
        cgroup.blkio.dev.io_merged.total                 49.4   27 u64    counter  count io_merged.total                 | Requests merged with others: all of them, of the group on the device
        cgroup.blkio.dev.io_merged.write                 49.1   27 u64    counter  count io_merged.write                 | Requests merged with others: writes, of the group on the device
        cgroup.blkio.dev.io_queued.async                 49.8   27 u64    counter  count io_queued.async                 | Requests waiting: asynchronous ones, of the group on the device
        cgroup.blkio.dev.io_queued.read                  49.5   27 u64    counter  count io_queued.read                  | Requests waiting: reads, of the group on the device
        cgroup.blkio.dev.io_queued.sync                  49.7   27 u64    counter  count io_queued.sync                  | Requests waiting: synchronous ones, of the group on the device
        cgroup.blkio.dev.io_queued.total                 49.9   27 u64    counter  count io_queued.total                 | Requests waiting: all of them, of the group on the device
        cgroup.blkio.dev.io_queued.write                 49.6   27 u64    counter  count io_queued.write                 | Requests waiting: writes, of the group on the device
        cgroup.blkio.dev.io_service_bytes.async          49.13  27 u64    counter  B     io_service_bytes.async          | Bytes of requests done: asynchronous ones, of the group on the device
        cgroup.blkio.dev.io_service_bytes.read           49.10  27 u64    counter  B     io_service_bytes.read           | Bytes of requests done: reads, of the group on the device
        cgroup.blkio.dev.io_service_bytes.sync           49.12  27 u64    counter  B     io_service_bytes.sync           | Bytes of requests done: synchronous ones, of the group on the device
        cgroup.blkio.dev.io_service_bytes.total          49.14  27 u64    counter  B     io_service_bytes.total          | Bytes of requests done: all of them, of the group on the device
        cgroup.blkio.dev.io_service_bytes.write          49.11  27 u64    counter  B     io_service_bytes.write          | Bytes of requests done: writes, of the group on the device
        cgroup.blkio.dev.io_service_time.async           49.23  27 u64    counter  ns    io_service_time.async           | Time from request to end: asynchronous ones, of the group on the device
        cgroup.blkio.dev.io_service_time.read            49.20  27 u64    counter  ns    io_service_time.read            | Time from request to end: reads, of the group on the device
        cgroup.blkio.dev.io_service_time.sync            49.22  27 u64    counter  ns    io_service_time.sync            | Time from request to end: synchronous ones, of the group on the device
        cgroup.blkio.dev.io_service_time.total           49.24  27 u64    counter  ns    io_service_time.total           | Time from request to end: all of them, of the group on the device
        cgroup.blkio.dev.io_service_time.write           49.21  27 u64    counter  ns    io_service_time.write           | Time from request to end: writes, of the group on the device
        cgroup.blkio.dev.io_serviced.async               49.18  27 u64    counter  count io_serviced.async               | Requests done: asynchronous ones, of the group on the device
        cgroup.blkio.dev.io_serviced.read                49.15  27 u64    counter  count io_serviced.read                | Requests done: reads, of the group on the device
        cgroup.blkio.dev.io_serviced.sync                49.17  27 u64    counter  count io_serviced.sync                | Requests done: synchronous ones, of the group on the device
        cgroup.blkio.dev.io_serviced.total               49.19  27 u64    counter  count io_serviced.total               | Requests done: all of them, of the group on the device
        cgroup.blkio.dev.io_serviced.write               49.16  27 u64    counter  count io_serviced.write               | Requests done: writes, of the group on the device
        cgroup.blkio.dev.io_wait_time.async              49.28  27 u64    counter  ns    io_wait_time.async              | Time that requests waited: asynchronous ones, of the group on the device
        cgroup.blkio.dev.io_wait_time.read               49.25  27 u64    counter  ns    io_wait_time.read               | Time that requests waited: reads, of the group on the device
        cgroup.blkio.dev.io_wait_time.sync               49.27  27 u64    counter  ns    io_wait_time.sync               | Time that requests waited: synchronous ones, of the group on the device
        cgroup.blkio.dev.io_wait_time.total              49.29  27 u64    counter  ns    io_wait_time.total              | Time that requests waited: all of them, of the group on the device
        cgroup.blkio.dev.io_wait_time.write              49.26  27 u64    counter  ns    io_wait_time.write              | Time that requests waited: writes, of the group on the device
        cgroup.blkio.dev.sectors                         49.30  27 u64    counter  KiB   sectors                         | Data transferred, of the group on the device
        cgroup.blkio.dev.throttle.io_service_bytes.async 49.35  27 u64    counter  B     throttle.io_service_bytes.async | Bytes of requests done, counted before the scheduler: asynchronous ones, of the group on the device
        cgroup.blkio.dev.throttle.io_service_bytes.read  49.32  27 u64    counter  B     throttle.io_service_bytes.read  | Bytes of requests done, counted before the scheduler: reads, of the group on the device
        cgroup.blkio.dev.throttle.io_service_bytes.sync  49.34  27 u64    counter  B     throttle.io_service_bytes.sync  | Bytes of requests done, counted before the scheduler: synchronous ones, of the group on the device
        cgroup.blkio.dev.throttle.io_service_bytes.total 49.36  27 u64    counter  B     throttle.io_service_bytes.total | Bytes of requests done, counted before the scheduler: all of them, of the group on the device
        cgroup.blkio.dev.throttle.io_service_bytes.write 49.33  27 u64    counter  B     throttle.io_service_bytes.write | Bytes of requests done, counted before the scheduler: writes, of the group on the device
        cgroup.blkio.dev.throttle.io_serviced.async      49.40  27 u64    counter  count throttle.io_serviced.async      | Requests done, counted before the scheduler: asynchronous ones, of the group on the device
        cgroup.blkio.dev.throttle.io_serviced.read       49.37  27 u64    counter  count throttle.io_serviced.read       | Requests done, counted before the scheduler: reads, of the group on the device
        cgroup.blkio.dev.throttle.io_serviced.sync       49.39  27 u64    counter  count throttle.io_serviced.sync       | Requests done, counted before the scheduler: synchronous ones, of the group on the device
        cgroup.blkio.dev.throttle.io_serviced.total      49.41  27 u64    counter  count throttle.io_serviced.total      | Requests done, counted before the scheduler: all of them, of the group on the device
        cgroup.blkio.dev.throttle.io_serviced.write      49.38  27 u64    counter  count throttle.io_serviced.write      | Requests done, counted before the scheduler: writes, of the group on the device
        cgroup.blkio.dev.time                            49.31  27 u64    counter  ms    time                            | Time that the device was given to the group, of the group on the device
        cgroup.blkio.id.container                        49.42  26 string discrete none  container                       | Identification of the container that the group is of
        """;
}
