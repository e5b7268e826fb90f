"""The pages: NiceGUI elements that show the views; they make no decisions."""
