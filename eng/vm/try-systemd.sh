#!/bin/sh
# Run by systemd in the virtual machine's second boot: pods kept by units that muster writes.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
. /checks
for module in overlay veth bridge nf_tables nft_nat nft_masq nft_chain_nat nf_conntrack; do modprobe $module; done
sysctl -q -w net.ipv4.ip_forward=1
cd /root
check "process 1 is systemd" '0:systemd' cat /proc/1/comm
check "only cgroup v2" '0:cgroup2fs' stat -fc %T /sys/fs/cgroup
[ -d image/rootfs ] || { mkdir -p image/rootfs/bin image/rootfs/www && cp /bin/busybox image/rootfs/bin/ && for tool in sh sleep cat echo httpd wget true; do ln -s busybox image/rootfs/bin/$tool; done
    printf 'name: example.com/tools\nversion: 1.0.0\ncopy:\n  - from: rootfs\n    to: /\nexec: [/bin/sh]\n' > image/image.yaml; }
check "image build" '0:sha256-*' muster image build image
check "run" '0:hello' muster run -q --rm --net=none example.com/tools -- -c 'echo hello'
check "memory limit" '0:67108864' muster run -q --rm --net=none example.com/tools --memory=64Mi -- -c 'cat /sys/fs/cgroup/memory.max'
check "prepare" '0:*' muster prepare --name=kept -p 8081:80 example.com/tools -- -c 'echo started; exec httpd -f -p 80 -h /www'
muster generate systemd kept > /etc/systemd/system/kept.service
check "the unit is accepted" '0:*' systemd-analyze verify kept.service
systemctl daemon-reload
check "systemctl start" '0:' systemctl start kept
soon 'wget -q -O - -T 2 http://127.0.0.1:8081/index.html || [ "$(muster status kept | grep -c state=running)" = 1 ]'
check "the unit is active" '0:active' systemctl is-active kept
check "the pod runs" '0:*state=running*' muster status kept
soon 'grep -q muster-shim /proc/$(systemctl show -p MainPID --value kept)/comm'
check "systemd's main process is the supervisor" '0:muster-shim' sh -c 'cat /proc/$(systemctl show -p MainPID --value kept)/comm'
# What kills the app is seen, and the unit starts it again.
pid=$(muster status --format=json kept | sed -n 's/.*"pid": \([0-9]*\).*/\1/p' | tail -1)
kill -9 "$pid"
soon '[ "$(systemctl show -p NRestarts --value kept)" -ge 1 ] && muster status kept | grep -q state=running'
check "systemd starts it again" '0:*state=running*' muster status kept
check "systemctl stop" '0:' systemctl stop kept
check "the pod has ended" '0:*state=exited*' muster status kept
check "the unit is inactive" '3:inactive' systemctl is-active kept
printf '[Service]\nType=notify\nExecStart=/usr/local/bin/musterd\nKillMode=process\nDelegate=yes\n' > /etc/systemd/system/musterd.service
systemctl daemon-reload
check "musterd is ready when it says so (sd_notify)" '0:' systemctl start musterd
check "it answers" '0:*ok*' curl -s --max-time 20 --unix-socket /run/muster/muster.socket http://localhost/health
check "a pod under it" '0:*' muster run --detach --name=steady --net=none example.com/tools -- -c 'exec sleep 1000'
check "the daemon is stopped" '0:' systemctl stop musterd
check "the pod goes on" '0:*state=running*' muster status steady
check "stop" '0:*' muster stop steady
check "gc" '0:*' muster gc --grace-period=0s --expire-prepared=0s
sleep 1
check "no cgroup of ours is left" '0:' sh -c 'ls -d /sys/fs/cgroup/muster* 2> /dev/null; true'
finish
