"""`python -m services.rules_engine serve`."""

from services.rules_engine.main import main

if __name__ == "__main__":
    main()
