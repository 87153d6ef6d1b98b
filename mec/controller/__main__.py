# SPDX-License-Identifier: Apache-2.0
"""`python -m mec.controller …` is `python -m mec controller …`."""

import runpy
import sys

if __name__ == "__main__":
    sys.argv[1:1] = ["controller"]
    runpy.run_module("mec", run_name="__main__", alter_sys=True)
