"""The outbox: one row a job, written in the transaction of its cause."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Priority(models.IntegerChoices):
    """Lower goes first; a card's block overtakes a bulk push."""

    URGENT = 0
    HIGH = 10
    NORMAL = 20
    BULK = 30


class Job(models.Model):
    """Work that must happen: open until ``done_at`` or ``dead_at`` is set."""

    kind = models.CharField(max_length=64)
    payload = models.JSONField(default=dict)
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    unique_key = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    # Someone asked for the same work while it ran: it becomes due again instead of done.
    again_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    dead_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unique_key"],
                condition=Q(done_at=None, dead_at=None) & ~Q(unique_key=""),
                name="job_one_open_per_key",
            ),
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(dead_at=None), name="job_done_or_dead"
            ),
        ]
        indexes = [
            models.Index(
                fields=["priority", "due_at"],
                condition=Q(done_at=None, dead_at=None),
                name="job_open",
            ),
            models.Index(fields=["done_at"], name="job_done"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
