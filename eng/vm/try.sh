#!/bin/sh
# Process 1 of the virtual machine: mounts what a system has, tries the main job on pure cgroup v2, and turns the machine off.
# The last line is "try: N passed, N failed".
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev 2> /dev/null
mkdir -p /dev/pts /dev/shm; mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /dev/shm; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# No package's script has run where the file system was made on another architecture.
[ -e "/lib/modules/$(uname -r)/modules.dep" ] || depmod
for module in overlay veth bridge nf_tables nft_nat nft_masq nft_chain_nat nf_conntrack; do modprobe $module; done
ip link set lo up; hostname vm; sysctl -q -w net.ipv4.ip_forward=1
# As a service manager does: the controllers are there for children of the root.
echo "+cpu +memory +pids +io +cpuset" > /sys/fs/cgroup/cgroup.subtree_control
. /checks
cd /root
mkdir -p image/rootfs/bin && cp /bin/busybox image/rootfs/bin/ && for tool in sh sleep cat echo id httpd wget ip mount true dd ls; do ln -s busybox image/rootfs/bin/$tool; done
mkdir -p image/rootfs/www && echo served > image/rootfs/www/index.html
printf 'name: example.com/tools\nversion: 1.0.0\ncopy:\n  - from: rootfs\n    to: /\nexec: [/bin/sh]\n' > image/image.yaml
check "the machine has only cgroup v2" '0:cgroup2fs' stat -fc %T /sys/fs/cgroup
check "version" '0:muster*' muster version
check "image build" '0:sha256-*' muster image build image
check "run" '0:hello' muster run -q --rm --net=none example.com/tools -- -c 'echo hello'
check "the status of the app" '7:' muster run -q --rm --net=none example.com/tools -- -c 'exit 7'
check "a program that is not there" '127:*' muster run -q --rm --net=none example.com/tools --exec=/bin/none
check "memory limit" '0:67108864' muster run -q --rm --net=none example.com/tools --memory=64Mi -- -c 'cat /sys/fs/cgroup/memory.max'
check "cpu limit" '0:50000 100000' muster run -q --rm --net=none example.com/tools --cpu=500m -- -c 'cat /sys/fs/cgroup/cpu.max'
check "out of memory is told" '137:*' muster run -q --rm --net=none example.com/tools --memory=16Mi -- -c 'dd if=/dev/zero of=/dev/null bs=64M count=1'
check "user namespace" '0:*uid=0*' muster run -q --rm --net=none --private-users example.com/tools -- -c 'id; echo x > /file'
check "several apps" '0:*one*' muster run -q --rm --net=none example.com/tools --name=a -- -c 'echo one' --- example.com/tools --name=b -- -c 'true'
check "run with an address, detached" '0:*' muster run --detach --name=web -p 8080:80 example.com/tools -- -c 'exec httpd -f -h /www'
check "the published port" '0:served' wget -q -O - -T 5 http://127.0.0.1:8080/
check "names of pods" '0:served' muster run -q --rm example.com/tools -- -c 'wget -q -O - -T 5 http://web/'
check "list" '0:*web*running*' muster list
check "enter" '0:entered' muster enter web -- echo entered
check "pause" '0:' muster pause web
check "paused" '0:*state=paused*' muster status web
check "resume" '0:' muster resume web
check "resumed" '0:*state=running*' muster status web
check "stop" '0:*' muster stop web
check "exited" '0:*state=exited*' muster status web
check "logs" '0:*' muster logs web
check "rm" '0:*' muster rm web
check "doctor" '*:*cgroup*' muster doctor
musterd --listen-pcp 127.0.0.1:44321 > /tmp/musterd.log 2>&1 &
daemon=$!
for i in $(seq 100); do [ -S /run/muster/pmcd.socket ] && break; sleep 0.2; done
check "metrics of this machine" '0:*mem_util_used*' curl -s --max-time 20 --unix-socket /run/muster/muster.socket 'http://localhost/metrics?names=mem.util.used'
check "metrics of groups" '0:*cgroup*' curl -s --max-time 60 --unix-socket /run/muster/muster.socket 'http://localhost/metrics?names=cgroup'
kill $daemon; wait $daemon
check "gc" '0:*' muster gc --grace-period=0s --expire-prepared=0s
sleep 1
check "no cgroup is left" '0:' find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d
check "no link is left" '0:' sh -c 'ip -o link | grep -v " lo:"; true'
check "no rule is left" '0:' nft list tables
check "no mount is left" '0:' sh -c 'grep /var/lib/muster /proc/mounts; true'
finish
