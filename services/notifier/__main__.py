"""`python -m services.notifier serve`."""

from services.notifier.main import main

if __name__ == "__main__":
    main()
