// Pins every mirror struct of CLinux.h to the kernel's own: a mismatch is a compile error, never a wrong call.

#define _GNU_SOURCE
#include "CLinux.h"

#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched/types.h>
#include <stddef.h>

#define SAME_FIELD(mine, theirs, field) \
    _Static_assert(offsetof(struct mine, field) == offsetof(struct theirs, field), #mine "." #field)

_Static_assert(sizeof(struct clinux_open_how) == sizeof(struct open_how), "open_how");
SAME_FIELD(clinux_open_how, open_how, flags);
SAME_FIELD(clinux_open_how, open_how, mode);
SAME_FIELD(clinux_open_how, open_how, resolve);

_Static_assert(sizeof(struct clinux_mount_attr) == sizeof(struct mount_attr), "mount_attr");
SAME_FIELD(clinux_mount_attr, mount_attr, attr_set);
SAME_FIELD(clinux_mount_attr, mount_attr, attr_clr);
SAME_FIELD(clinux_mount_attr, mount_attr, propagation);
SAME_FIELD(clinux_mount_attr, mount_attr, userns_fd);

_Static_assert(sizeof(struct clinux_sched_attr) == sizeof(struct sched_attr), "sched_attr");
SAME_FIELD(clinux_sched_attr, sched_attr, sched_policy);
SAME_FIELD(clinux_sched_attr, sched_attr, sched_flags);
SAME_FIELD(clinux_sched_attr, sched_attr, sched_nice);
SAME_FIELD(clinux_sched_attr, sched_attr, sched_period);
SAME_FIELD(clinux_sched_attr, sched_attr, sched_util_max);
