"""`python -m services.console serve`."""

from services.console.main import main

if __name__ == "__main__":
    main()
