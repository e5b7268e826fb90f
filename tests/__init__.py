"""Tests of Drumbeat."""
