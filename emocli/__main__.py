"""`python -m emocli` is `emo`."""

from emocli.main import main

main()
