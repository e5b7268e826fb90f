"""`python -m services.scheduler serve`."""

from services.scheduler.main import main

if __name__ == "__main__":
    main()
