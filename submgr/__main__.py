# SPDX-License-Identifier: Apache-2.0
from gevent import monkey

from submgr.platform.package_parts import import_in_parts
from submgr.platform.plug_ins import without_plug_ins

with without_plug_ins():
    monkey.patch_all()
import_in_parts("prometheus_client", "redis")

import signal
import sys

# as process 1 of a pod, a SIGTERM before the daemon has its own handler would be ignored by the kernel
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

from submgr.cli.entry import main

if __name__ == "__main__":
    main()
