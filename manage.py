#!/usr/bin/env python
"""Run a management command."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "emsp.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        message = "Django is not installed here. Run `make demo` or `make install` first."
        raise SystemExit(message) from error
    from emsp.env import SettingInvalid

    try:
        execute_from_command_line(sys.argv)
    except SettingInvalid as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
