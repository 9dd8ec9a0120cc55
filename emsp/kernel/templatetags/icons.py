"""Icons of the sprite that is built from npm's icon sets."""

from __future__ import annotations

from django import template
from django.templatetags.static import static
from django.utils.html import format_html

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "m") -> str:
    """Show an icon beside words that say the same; screen readers skip it."""
    address = static("icons/sprite.svg")
    return format_html(
        '<svg class="icon icon-{}" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"></use></svg>',
        size,
        address,
        name,
    )
