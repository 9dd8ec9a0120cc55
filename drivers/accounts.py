"""People with a log-in."""

from __future__ import annotations

from django.db import transaction

from drivers.models import User


@transaction.atomic
def ensure_user(
    email: str, password: str, *, is_staff: bool = False, is_superuser: bool = False
) -> tuple[User, bool]:
    """Give the user with this address, made if need be, with this password and these rights.

    Returns the user and whether they are new. An address is one whatever its case. A password
    that is right already stays, so that nobody is logged out by a second run.
    """
    user = User.objects.select_for_update().filter(email__iexact=email).first()
    if user is None:
        rights = {"is_staff": is_staff, "is_superuser": is_superuser}
        return User.objects.create_user(email, password, **rights), True
    if not user.check_password(password):
        user.set_password(password)
    user.is_staff, user.is_superuser, user.is_active = is_staff, is_superuser, True
    user.save(update_fields=["password", "is_staff", "is_superuser", "is_active"])
    return user, False
