#!/usr/bin/env python
"""Clawsite's command line; `manage.py help` lists the commands."""

import os
import sys

if __name__ == "__main__":
    os.umask(0o077)  # database, journals, locks: what it makes is for its own user only
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clawsite.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # a value in the environment: no traceback explains it
        sys.exit(f"Settings: {error}")
