"""`manage.py doctor`: looks at an installation, its services and the path to it, and says how to
mend what it finds. Every module looks at one of them; `path` judges what `probe` has seen."""
