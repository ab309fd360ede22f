"""Making, changing and passing on characters. Headless: the window and the commands do it alike."""
