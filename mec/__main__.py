# SPDX-License-Identifier: Apache-2.0
from gevent import monkey

monkey.patch_all()

from mec.cli import main

if __name__ == "__main__":
    main()
