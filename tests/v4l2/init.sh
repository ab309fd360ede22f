#!/bin/busybox sh
# The first process of the guest: drivers, the host's root under a layer that forgets, then the job.
/bin/busybox mkdir -p /proc /sys /dev /bin
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r module; do insmod "/mod/$module" 2>/dev/null; done < /mod/order
options=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o $options,ro,cache=loose root /host || poweroff -f
mount -t tmpfs -o size=60% tmpfs /layer
mkdir -p /layer/upper /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay /new || poweroff -f
mkdir -p /new/job
mount -t 9p -o $options,rw,access=any,cache=none job /new/job || poweroff -f
for folder in dev proc sys; do mount --move /$folder /new/$folder; done
mkdir -p /new/dev/pts /new/dev/shm
mount -t devpts devpts /new/dev/pts
mount -t tmpfs tmpfs /new/dev/shm
mount -t tmpfs tmpfs /new/run
ip link set lo up
chroot /new /bin/bash /job/run.sh > /new/job/output 2>&1
echo $? > /new/job/status
sync
poweroff -f
