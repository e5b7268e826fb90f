"""Generated reference pages: what a policy may say, and which requirements the shipped policy is tested for."""
