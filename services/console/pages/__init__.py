"""The pages as the browser gets them: elements that stay while their words change; no decision is made here."""
