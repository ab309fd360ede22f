"""`python installer`: sets Kuchipaku up and opens it. Standard library only, for nothing is installed yet."""
