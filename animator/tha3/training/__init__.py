"""How the live face's kernel and the poses that are baked were found. Nothing here is needed to run the program."""
