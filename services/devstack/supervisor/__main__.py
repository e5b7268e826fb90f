"""`python -m services.devstack.supervisor`: run Drumbeat until Ctrl-C or SIGTERM."""

import sys

from services.devstack.supervisor.run import supervise

if __name__ == "__main__":
    sys.exit(supervise())
