# SPDX-License-Identifier: Apache-2.0
from gevent import monkey

from submgr.platform.plug_ins import without_plug_ins

with without_plug_ins():
    monkey.patch_all()

from mec.cli import main

if __name__ == "__main__":
    main()
