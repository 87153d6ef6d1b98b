# SPDX-License-Identifier: Apache-2.0
from gevent import monkey

monkey.patch_all()  # noqa: E702, I001 - first statement: everything after it sees patched modules

from mec.cli import main

if __name__ == "__main__":
    main()
