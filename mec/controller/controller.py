# SPDX-License-Identifier: Apache-2.0
"""`python3 mec/controller/controller.py …`, from wherever: `mec controller …`."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # the directory of this file, which Python has put first, is no place to import from
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    sys.argv[1:1] = ["controller"]
    runpy.run_module("mec", run_name="__main__", alter_sys=True)
